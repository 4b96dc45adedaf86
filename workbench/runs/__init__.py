"""The runs: a queue, one child process a run, a row in one SQLite file and a folder.

``connect.open_runs`` gives a `supervisor.Supervisor`, or a `client.Client` of the one that another process
has; both take the same calls. ``text`` holds them for the command line. Nothing is imported here, because
every worker imports this room first and shall start at once.
"""
