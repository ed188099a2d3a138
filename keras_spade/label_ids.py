"""What messages say of label ids that are no class."""


def out_of_range(num_classes):
    """The message for ids that are no class; the smallest and largest that were found follow."""
    return f"`labels` must hold ids 0..{num_classes - 1}; found (smallest, largest):"
