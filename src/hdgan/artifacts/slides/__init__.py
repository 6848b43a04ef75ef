"""Reading whole-slide images: what scanners write, and plain images, behind one small interface."""
