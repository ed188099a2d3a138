"""Griffe reads this when the site is built: it knows neither our examples nor "Call arguments"."""

import re

import griffe

EXAMPLE = re.compile(r"(?:^>>> .*\n?(?:^[^\n]+\n?)*\n?)+", re.MULTILINE)
CALL_ARGUMENTS = re.compile(r"^Call arguments:\n((?: {4}.*\n?)+)", re.MULTILINE)
ARGUMENT = re.compile(r"^ {4}(\w+): ", re.MULTILINE)


def fenced_examples(text):
    """A docstring in which each example, from `>>>` to an empty line, stands in a code block."""
    return EXAMPLE.sub(lambda match: f"```pycon\n{match[0].strip()}\n```\n\n", text)


def listed_call_arguments(text):
    """A docstring in which the arguments of calls are a list, as those of the constructor are."""

    def as_list(match):
        return "**Call arguments:**\n\n" + ARGUMENT.sub(r"- **`\1`** – ", match[1])

    return CALL_ARGUMENTS.sub(as_list, text)


class PlainDocstrings(griffe.Extension):
    """Makes Markdown of what griffe would run together."""

    def on_object(self, *, obj, **kwargs):
        """Called for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = fenced_examples(listed_call_arguments(obj.docstring.value))
