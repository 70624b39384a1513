// What a picture's bytes say: decode, measure, render, and evidence of generation. The code of the media worker.
