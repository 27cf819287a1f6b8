"""What the formats of pictures ask of whoever decodes them: Pillow reads pixels, these the rest."""
