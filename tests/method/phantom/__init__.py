"""Tests of hdgan.method.phantom."""
