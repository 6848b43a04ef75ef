"""The floor of the annotation page: nothing that it reaches may import torch."""
