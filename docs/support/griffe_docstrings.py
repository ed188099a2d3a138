"""A Griffe extension for the site: handles our examples and "Call arguments" sections."""

import re

import griffe

EXAMPLE = re.compile(r"(?:^>>> .*\n?(?:^[^\n]+\n?)*\n?)+", re.MULTILINE)
CALL_ARGUMENTS = re.compile(r"^Call arguments:\n((?: {4}.*\n?)+)", re.MULTILINE)
ARGUMENT = re.compile(r"^ {4}(\w+): ", re.MULTILINE)


def fenced_examples(text):
    """The docstring with each example, from `>>>` to an empty line, in a code block."""
    return EXAMPLE.sub(lambda match: f"```pycon\n{match[0].strip()}\n```\n\n", text)


def listed_call_arguments(text):
    """The docstring with call arguments as a list, like those of the constructor."""

    def as_list(match):
        return "**Call arguments:**\n\n" + ARGUMENT.sub(r"- **`\1`** – ", match[1])

    return CALL_ARGUMENTS.sub(as_list, text)


class PlainDocstrings(griffe.Extension):
    """Converts parts of docstrings that griffe would run together to Markdown."""

    def on_object(self, *, obj, **kwargs):
        """Called for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = fenced_examples(listed_call_arguments(obj.docstring.value))
