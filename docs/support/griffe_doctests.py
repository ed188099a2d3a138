"""Griffe reads this: examples in docstrings become code blocks of the site."""

import re

import griffe

EXAMPLE = re.compile(r"(?:^>>> .*\n?(?:^[^\n]+\n?)*\n?)+", re.MULTILINE)


def fenced(text):
    """A docstring in which each example, from `>>>` to an empty line, stands in a code block."""
    return EXAMPLE.sub(lambda match: f"```pycon\n{match[0].strip()}\n```\n\n", text)


class FenceDoctests(griffe.Extension):
    """Fences the examples of every docstring that griffe reads."""

    def on_object(self, *, obj, **kwargs):
        """Called for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)
