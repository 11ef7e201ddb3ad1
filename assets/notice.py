"""The notice of a failed run: to a web hook or into a file, as MOTCUA_NOTICE says. No stack trace."""

from __future__ import annotations

import json
import logging
import urllib.request
from pathlib import Path

import dagster as dg

from pipeline import settings
from pipeline.warehouse.record import now

SECONDS_FOR_THE_HOOK = 10


def failure_words(event: dg.DagsterEvent) -> str:
    """The failure in the words written for people; else the error's name alone: its message may quote a cell."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    error = data.error.cause or data.error if data.error else None
    return f"{error.cls_name if error else '?'}"


def notice_of(run: dg.DagsterRun, steps: list[dg.DagsterEvent], message: str) -> dict[str, str]:
    """What is told. text: what chat services show of a web hook's post."""
    words = "; ".join(f"{event.step_key}: {failure_words(event)}" for event in steps) or message
    return {
        "text": f"Motcua: lần chạy “{run.job_name}” hỏng / run “{run.job_name}” failed. {words}",
        "job": run.job_name,
        "run": run.run_id,
        "at": now().isoformat(timespec="seconds"),
    }


def notify(notice: dict[str, str], log: logging.Logger) -> None:
    """Sends or writes the notice. A notice that cannot be delivered is logged, and nothing more."""
    target = settings.notice_target()
    if target is None:
        log.info(f"MOTCUA_NOTICE không đặt / is not set: {notice['text']}")
        return
    line = json.dumps(notice, ensure_ascii=False)
    try:
        if target.startswith(("https://", "http://")):
            headers = {"Content-Type": "application/json; charset=utf-8"}
            post = urllib.request.Request(target, line.encode(), headers, method="POST")
            urllib.request.urlopen(post, timeout=SECONDS_FOR_THE_HOOK).close()
        else:
            with Path(target).expanduser().open("a", encoding="utf-8") as file:
                file.write(line + "\n")
    except (OSError, ValueError) as error:
        # Not the address: a hook's address is its password.
        log.warning(f"Không gửi được thông báo / the notice was not delivered: {type(error).__name__}")
