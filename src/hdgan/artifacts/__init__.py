"""What stays on disk: one class a kind of folder, each with a manifest."""
