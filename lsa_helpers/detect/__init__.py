"""Landslides on images: chips, Mask R-CNN, training, scores, and the scene turned into an inventory
of polygons.
"""
