"""The choices of each stage: one frozen dataclass a verb, its fields the verb's options."""
