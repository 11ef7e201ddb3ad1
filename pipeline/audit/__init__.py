"""What an auditor asks of a figure: what it means, and which dossiers, files and rows stand behind it."""
