"""A checker that is a program: one question on standard input, one answer on standard output.

    program.py --allow registry.example/ [--allow PREFIX ...]

Whatever goes wrong ends with an exit code other than 0, which counts as no answer.
"""
import argparse
import json
import sys

VERSION = "cleanbill.checker/v1"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--allow", action="append", default=[], metavar="PREFIX")
    allow = tuple(arguments.parse_args().allow)

    question = json.load(sys.stdin)
    if question.get("apiVersion") != VERSION or question.get("kind") != "Question":
        sys.exit(f"this is no question of {VERSION}")

    # The rule. The name is complete: registry/repository:tag@sha256:...
    image = question["image"]
    allowed = image.startswith(allow)
    reason = "" if allowed else f"{question['registry']} is not a place that images may come from"

    # The image is repeated, so that nobody can take this for the answer about another one.
    answer = {"apiVersion": VERSION, "kind": "Answer", "image": image, "allowed": allowed, "reason": reason}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
