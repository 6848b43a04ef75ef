"""`hdgan annotate`: a page on which drawings are chosen and painted, with live predictions."""
