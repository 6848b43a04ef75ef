"""Tests of hdgan.report."""
