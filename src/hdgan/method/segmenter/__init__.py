"""The downstream network: what the pairs are for. It is MONAI's, not ours."""
