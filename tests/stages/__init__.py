"""Tests of hdgan.stages."""
