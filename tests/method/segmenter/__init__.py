"""Tests of hdgan.method.segmenter."""
