"""The verbs: open artifacts, call the method, write one artifact."""
