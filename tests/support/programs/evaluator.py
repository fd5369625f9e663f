"""Evaluates what a test sends: a line of JSON for each expression or program."""

import json
import os
import sys

# What others print must not look like an answer.
answers = sys.stdout
sys.stdout = sys.stderr
names = {}


def evaluate(source):
    try:
        code = compile(source, "<test>", "eval")
    except SyntaxError:
        exec(compile(source, "<test>", "exec"), names)
        return None
    return eval(code, names)


for line in sys.stdin:
    try:
        answer = {"value": evaluate(json.loads(line))}
    except Exception as error:
        answer = {
            "error": f"{type(error).__name__}: {error}",
            "errno": getattr(error, "errno", None),
        }
    print(json.dumps(answer, default=list), file=answers, flush=True)

# Libraries of USB can crash when the interpreter takes them down.
os._exit(0)
