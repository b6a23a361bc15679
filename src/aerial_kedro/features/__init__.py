"""Backbones: pretrained networks cut before their last layer, and the engines that run them."""
