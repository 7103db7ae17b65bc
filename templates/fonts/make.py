"""Makes the two font files beside this script.

    npm pack @expo-google-fonts/noto-sans-sc@0.4.3 && tar xf expo-google-fonts-noto-sans-sc-0.4.3.tgz
    pip install fonttools==4.68.0
    python templates/fonts/make.py package templates/fonts

For each weight it runs

    pyftsubset NotoSansSC_400Regular.ttf --unicodes-file=characters.txt --layout-features=kern,pwid --no-hinting \
        --desubroutinize --name-IDs=0,1,2,3,4,5,6,13,14 --output-file=NotoSansSC-Regular.ttf

and then adds the superscript digits that the font lacks (as the font's own digits, drawn smaller and higher),
so that powers of ten can be written as text.
"""

import pathlib
import subprocess
import sys

from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

WEIGHTS = {"Regular": "400Regular", "Bold": "700Bold"}
RANGES = [
    (0x20, 0x7E), (0xA0, 0x17F), (0x2010, 0x2027), (0x2030, 0x205E), (0x2070, 0x209F), (0x20A0, 0x20BF),
    (0x2190, 0x21FF), (0x2200, 0x22FF), (0x2460, 0x2473), (0x25A0, 0x25FF), (0x2600, 0x266F), (0x2713, 0x2713),
    (0x3000, 0x303F), (0xFF00, 0xFFEF),
]
SUPERSCRIPTS = {"0": 0x2070, "1": 0xB9, "2": 0xB2, "3": 0xB3, "4": 0x2074, "5": 0x2075, "6": 0x2076, "7": 0x2077,
                "8": 0x2078, "9": 0x2079, "\N{MINUS SIGN}": 0x207B}


def characters():
    """GB 2312, and the Latin letters, punctuation and signs that a memo uses."""
    found = {code for first, last in RANGES for code in range(first, last + 1)}
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                found.add(ord(bytes([row, cell]).decode("gb2312")))
            except UnicodeDecodeError:
                pass
    return sorted(found)


def add_superscripts(path):
    font = TTFont(path, recalcTimestamp=False)
    cmap, glyphs, metrics = font.getBestCmap(), font["glyf"], font["hmtx"]
    vertical = font["vmtx"]
    for plain, code in SUPERSCRIPTS.items():
        base = cmap[ord(plain)]
        pen = TTGlyphPen(font.getGlyphSet())
        pen.addComponent(base, (0.6, 0, 0, 0.6, 12, 330))
        name = f"superscript.{code:04X}"
        glyph = pen.glyph()
        glyphs[name] = glyph
        glyph.recalcBounds(glyphs)
        metrics[name] = (round(metrics[base][0] * 0.6) + 24, glyph.xMin)
        vertical[name] = vertical[base]
        for table in font["cmap"].tables:
            if table.isUnicode():
                table.cmap[code] = name
    font["maxp"].maxComponentElements = 1
    font["maxp"].maxComponentDepth = 1
    font.save(path)


def main(package, destination):
    listing = pathlib.Path(destination) / "characters.txt"
    listing.write_text(",".join(f"{code:X}" for code in characters()))
    for weight, folder in WEIGHTS.items():
        path = pathlib.Path(destination) / f"NotoSansSC-{weight}.ttf"
        subprocess.run(
            ["pyftsubset", f"{package}/{folder}/NotoSansSC_{folder}.ttf", f"--unicodes-file={listing}",
             "--layout-features=kern,pwid", "--no-hinting", "--desubroutinize", "--name-IDs=0,1,2,3,4,5,6,13,14",
             f"--output-file={path}"],
            check=True,
        )
        add_superscripts(path)
    listing.unlink()


main(*sys.argv[1:])
