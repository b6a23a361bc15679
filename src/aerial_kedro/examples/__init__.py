"""Examples that use the product: the made-up county and the digits tutorial."""
