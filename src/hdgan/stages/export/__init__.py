"""`hdgan export`: labelled images to a layout that other programs read."""
