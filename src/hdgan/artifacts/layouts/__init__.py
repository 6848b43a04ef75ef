"""Standard layouts of labelled images, each as its readers expect it."""
