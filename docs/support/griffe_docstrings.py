"""A Griffe extension for the site: writes some sections of our docstrings as Markdown."""

import re
import textwrap

import griffe

EXAMPLE = re.compile(r"(?:^>>> .*\n?(?:^[^\n]+\n?)*\n?)+", re.MULTILINE)
CALL_ARGUMENTS = re.compile(r"^Call arguments:\n((?: {4}.*\n?)+)", re.MULTILINE)
RETURNS = re.compile(r"^(Returns|Yields):\n((?: {4}.*\n?|\n)+)", re.MULTILINE)
ARGUMENT = re.compile(r"^ {4}(\w+): ", re.MULTILINE)


def fenced_examples(text):
    """The docstring with each example, from `>>>` to an empty line, in a code block."""
    return EXAMPLE.sub(lambda match: f"```pycon\n{match[0].strip()}\n```\n\n", text)


def listed_call_arguments(text):
    """The docstring with call arguments as a list, like those of the constructor."""

    def as_list(match):
        return "**Call arguments:**\n\n" + ARGUMENT.sub(r"- **`\1`** – ", match[1])

    return CALL_ARGUMENTS.sub(as_list, text)


def plain_returns(text):
    """The docstring with what is returned as text, where griffe expects a type or a name."""

    def as_text(match):
        return f"**{match[1]}:**\n\n{textwrap.dedent(match[2]).rstrip()}\n\n"

    return RETURNS.sub(as_text, text)


class PlainDocstrings(griffe.Extension):
    """Converts parts of docstrings that griffe would run together to Markdown."""

    def on_object(self, *, obj, **kwargs):
        """Called for each module, class, function and attribute."""
        if obj.docstring:
            text = plain_returns(listed_call_arguments(obj.docstring.value))
            obj.docstring.value = fenced_examples(text)
