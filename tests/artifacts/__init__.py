"""Tests of hdgan.artifacts."""
