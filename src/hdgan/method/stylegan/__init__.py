"""StyleGAN2-ADA, written from its papers (section IV of the paper names it as the backbone)."""
