"""The one resource: a run's work, done in the order in which its assets ask for it, under the build lock.

All steps of a run are in one process (jobs.py): the build is handed on in memory, and the lock, taken by the
first step that needs it, is held until the run ends.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dagster as dg

from pipeline import night
from pipeline.audit.rerun import Rerun, rerun
from pipeline.declare.text import Text
from pipeline.errors import MotcuaError, NothingPublished
from pipeline.measure import summary
from pipeline.measure.checks import Outcome
from pipeline.report.standing import refresh
from pipeline.settings import Home, find_home
from pipeline.warehouse.intake import Intake
from pipeline.warehouse.lock import one_build
from pipeline.warehouse.release import DATABASE, Release, current, open_published, published
from pipeline.warehouse.seals import in_force

Progress = Callable[[Text], None]
WAITS = (30, 60)  # seconds before a run tries again what the operating system refused


class Work:
    """What a run has done so far. Each step first does those before it, if nobody has."""

    lock_wait_seconds = 600.0

    def __init__(self, home: Home, progress: Progress) -> None:
        self.home, self.progress = home, progress
        self.result: night.Result | None = None
        self.built: night.Build | None = None
        self._intake: Intake | None = None
        self._asked_to_build = self._locked = False
        self._before: Release | None = None
        self._release: Release | None = None
        self._stack = ExitStack()
        self._waits = list(WAITS)

    def lock(self) -> None:
        """Takes the build lock, once, until `close`. Raises Busy."""
        if not self._locked:
            self._stack.enter_context(one_build(self.home, self.lock_wait_seconds))
            self._locked = True

    def intake(self) -> Intake:
        """The look at data/raw."""
        if self._intake is None:
            self.lock()
            self._intake = night.take_in(self.home, self.progress)
        return self._intake

    def build(self, rebuild: bool = False) -> night.Build | None:
        """The build, checked but not published; None when there is nothing new. Raises CheckFailed."""
        if not self._asked_to_build:
            self._before = current(self.home)
            self.built = night.build(self.home, self.intake(), self.progress, rebuild)
            self._asked_to_build = True
            if self.built is None:
                self._hold()
        return self.built

    def publish(self) -> night.Result:
        """Publishes what was built, if anything was, and keeps the night's result."""
        built = self.build()
        if built is not None and self._release is None:
            self._release = night.publish(self.home, built, self.progress)
            self._hold()
        return self.settle()

    def _hold(self) -> None:
        """Holds what is published open until `close`: all who tell of it open it for themselves, at once while it is open
        here."""
        if current(self.home):
            self._stack.enter_context(open_published(self.home))

    def settle(self) -> night.Result:
        """The night's result as it stands."""
        self.result = night.settle(self.home, self.intake(), self.built, self._release)
        return self.result

    @contextmanager
    def in_words(self) -> Generator[None]:
        """Turns an error into the step's failure in words, or, for a disk or share that may come back, into another try.

        Not Dagster's RetryPolicy: that tries everything again, a stop by Ctrl-C included.
        """
        try:
            yield
        except MotcuaError as error:
            raise _failure(Text(error.render("vi"), error.render("en"))) from error
        except OSError as error:
            if self._waits:
                raise dg.RetryRequested(max_retries=len(WAITS), seconds_to_wait=self._waits.pop(0)) from error
            why = f"{type(error).__name__}: {error.strerror}"
            raise _failure(
                Text(f"Không đọc hoặc ghi được ({why}).", f"Could not read or write ({why})."),
            ) from error
        except dg.Failure:
            raise
        except Exception as error:
            what = type(error).__name__  # not its message, which may quote a cell
            raise _failure(
                Text(
                    f"Lỗi ngoài dự kiến ({what}); số liệu cũ vẫn được giữ. Báo người phát triển.",
                    f"Unexpected error ({what}); the last figures stay. Tell the developers.",
                ),
            ) from error

    def outputs(self, draw: bool) -> list[str]:
        """Renews what is handed in, with pictures where that is asked; the quarters whose files are written anew."""
        result = self.result or self.publish()
        result.outputs = list(refresh(self.home, self.progress, draw)) if current(self.home) else []
        return result.outputs

    # ---- what the assets tell of it

    def database(self) -> Path:
        """The published database."""
        return published(self.home).database

    def marks_before(self) -> dict[str, int]:
        """The marks of the quarters of what was published before this run's build (`summary.marks_in`)."""
        return summary.marks_in(self._before.database) if self._before else {}

    def kept_outcomes(self) -> list[Outcome]:
        """The outcomes of the checks of what is published; none before the first release."""
        if current(self.home) is None:
            return []
        with open_published(self.home) as con:
            return summary.kept_outcomes(con)

    def contents(self) -> dict[str, int]:
        """How much the new build holds, or without one what is published."""
        path = self._newest_database()
        if path is None:
            return dict.fromkeys(("dossiers", "units", "quarters"), 0)
        with summary.open_database(path) as con:
            return summary.contents(con)

    def accounts(self) -> list[summary.Account]:
        """What became of the rows of every file, in the new build, or without one in what is published."""
        path = self._newest_database()
        if path is None:
            return []
        with summary.open_database(path) as con:
            return summary.accounts(con)

    def _newest_database(self) -> Path | None:
        known = current(self.home)
        return self.built.folder / DATABASE if self.built else known.database if known else None

    def rerun(self, periods: list[str]) -> dict[str, Rerun]:
        """Those of these quarters that are sealed, each computed again from the record and held against its seal."""
        sealed = in_force(self.home)
        return {key: rerun(self.home, sealed[key], self.progress) for key in periods if key in sealed}

    def compare(self, periods: list[str]) -> list[summary.Difference]:
        """Builds anew from the record; the cells of these quarters that differ from what is published."""
        built = self.build(rebuild=True)
        if built is None:
            raise NothingPublished(
                Text("Không có tệp nào để tính lại.", "There are no files to compute from."),
                todo=Text("Đặt tệp vào data/raw/<nguồn>/.", "Put files into data/raw/<source>/."),
            )
        with ExitStack() as both:
            before = both.enter_context(open_published(self.home)) if current(self.home) else None
            after = both.enter_context(summary.open_database(built.folder / DATABASE))
            return summary.differences(before, after, periods)

    def inputs_differ(self) -> bool:
        """Whether the build was made from other files, declarations or code than what is published."""
        known = current(self.home)
        return self.built is not None and (known is None or known.inputs != self.built.inputs)

    def close(self) -> None:
        """Throws away a build that was not published, and lets the lock go."""
        if self.built is not None and self._release is None:
            shutil.rmtree(self.built.folder, ignore_errors=True)
        self._stack.close()


def work_resource(
    home: Home | None = None, progress: Progress | None = None, keep: Callable[[Work], None] | None = None
) -> dg.ResourceDefinition:
    """The resource `work`. home: default as the environment says. keep: is given the Work."""

    @dg.resource(description="Việc của một lần chạy, dưới khóa dựng kho / a run's work, under the build lock")
    def work(context: dg.InitResourceContext) -> Iterator[Work]:
        def tell(text: Text) -> None:
            if context.log is not None:
                context.log.info(str(text))
            if progress is not None:
                progress(text)

        one = Work(home or find_home(), tell)
        if keep is not None:
            keep(one)
        try:
            yield one
        finally:
            one.close()

    return work


def _failure(words: Text) -> dg.Failure:
    return dg.Failure(description=f"{words.vi}\n\n{words.en}", allow_retries=False)
