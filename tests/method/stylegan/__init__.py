"""Tests of hdgan.method.stylegan."""
