def meters(inches):
    return inches * 0.0254
