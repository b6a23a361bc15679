"""Why a tile got its class: what in the picture spoke for it, and which tiles are like it."""
