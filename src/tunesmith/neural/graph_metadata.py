"""What a graph file says of itself, in the metadata of its model."""

BLOCKWISE_PRODUCTS = "blockwise_products"
"""Whether any layer multiplies in blocks, "yes" or "no"."""
