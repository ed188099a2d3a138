"""A worker's side of its pipes, see `_process.py`."""

import json
import os
import sys


def serve(answers, build):
    """Builds something, and answers commands about it until there are no more.

    Commands, on the standard input, and answers, to a file descriptor, are lines of JSON, a command
    of one key: `{"name": argument}`. Standard output is for what libraries print.

    Args:
        answers: the file descriptor, as a string.
        build: a function that returns the first answer, and a dict name -> function of the
            argument; with an empty dict no command is waited for.
    """
    os.set_inheritable(int(answers), False)
    with os.fdopen(int(answers), "w") as file:

        def send(answer):
            print(json.dumps(answer), file=file, flush=True)

        built, commands = build()
        send(built)
        if not commands:
            return
        for line in sys.stdin:
            ((name, argument),) = json.loads(line).items()
            send(commands[name](argument))
