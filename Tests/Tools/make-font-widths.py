"""Makes the tables of Sources/CounterApp/Images/FontWidths.swift, the widths of characters.

Verdana, the font of shields.io, may not be passed on, but its widths are facts that other programs list:
PDF::API2, in Debian's libpdf-api2-perl. A letter with accents that it lacks is as wide as the letter without
them. Other characters come from DejaVu Sans, the next free font in the list that a badge names. Helvetica is
measured as Liberation Sans, which has its widths.

    apt-get install libpdf-api2-perl fonts-liberation fonts-dejavu-core
    pip install fonttools
    python3 Tests/Tools/make-font-widths.py >Sources/CounterApp/Images/FontWidths.swift
"""

import pathlib
import re
import unicodedata

from fontTools.ttLib import TTFont

CORE_FONTS = pathlib.Path("/usr/share/perl5/PDF/API2/Resource/Font/CoreFont")
TRUE_TYPE = pathlib.Path("/usr/share/fonts/truetype")

# All three fonts divide their em so.
EM = 2048

# Latin with its extensions and phonetic letters; Greek and Cyrillic; Latin and Greek with accents; spaces,
# punctuation, small digits and currencies; letters as signs; arrows; shapes and symbols; marks.
BLOCKS = [
    (0x20, 0x2FF), (0x370, 0x52F), (0x1E00, 0x1FFF), (0x2000, 0x20C0), (0x2116, 0x2126),
    (0x2190, 0x2199), (0x25A0, 0x25CF), (0x2600, 0x266F), (0x2713, 0x2718),
]  # fmt: skip

# Verdana's digits and letters of ASCII, in hundredths of a pixel at 10 pixels, as browsers measure them.
# PDF::API2 cuts thousandths of the em off; both together leave one or two widths.
MEASURED = """
352 394 459 818 636 1076 727 269 454 454 636 818 364 454 364 454
636 636 636 636 636 636 636 636 636 636 454 454 818 818 818 545
1000 684 686 698 771 632 575 775 751 421 455 693 557 843 748 787
603 787 695 684 616 732 684 989 685 615 685 454 454 454 818 636
636 601 623 521 623 596 352 623 633 274 344 592 274 973 633 607
623 623 427 521 394 633 592 818 592 592 525 635 454 635 818
"""


def core_widths(name: str) -> dict[int, int]:
    """The widths of a font of PDF::API2, in thousandths of the em, cut off."""
    text = (CORE_FONTS / f"{name}.pm").read_text(errors="replace")
    table = text[text.index("'wx'") :]
    found = re.findall(r"=> '(\d+)',.*?U\+0x([0-9A-F]{4})", table)
    return {int(code, 16): int(width) for width, code in found}


def true_type_widths(path: str) -> dict[int, int]:
    """The widths of a TrueType font, in units of the em."""
    font = TTFont(TRUE_TYPE / path)
    assert font["head"].unitsPerEm == EM
    return {code: font["hmtx"][glyph][0] for code, glyph in font.getBestCmap().items()}


def verdana(name: str, substitute: str, measured: dict[int, int]) -> dict[int, int]:
    widths = true_type_widths(substitute)
    for code, thousandths in core_widths(name).items():
        fitting = [
            units for units in range(3 * EM) if units * 1000 // EM == thousandths
            and round(units * 1000 / EM) == measured.get(code, round(units * 1000 / EM))
        ]  # fmt: skip
        widths[code] = fitting[len(fitting) // 2]
    return with_accents(widths, core_widths(name).keys())


def with_accents(widths: dict[int, int], own: set[int]) -> dict[int, int]:
    """The widths of a font, in which letters with accents that are not its own are as wide as those without."""
    return widths | {
        code: widths[base]
        for code in range(0x180, 0x2000)
        if code not in own and (base := ord(unicodedata.normalize("NFD", chr(code))[0])) in own
    }


def table(widths: dict[int, int]) -> str:
    lines = []
    for first, last in BLOCKS:
        line = "   "
        for code in range(first, last + 1):
            # 0 stands for what has no width, and for what no font has.
            has_width = unicodedata.category(chr(code)) not in ("Cc", "Cf", "Cn", "Mn", "Me")
            width = widths.get(code, 0) if has_width else 0
            if len(f"{line} {width},") > 100:
                lines.append(line)
                line = "   "
            line += f" {width},"
        lines.append(line)
    return "\n".join(lines)


def main() -> None:
    measured = dict(enumerate(map(int, MEASURED.split()), start=0x20))
    fonts = {
        "verdana": verdana("verdana", "dejavu/DejaVuSans.ttf", measured),
        "boldVerdana": verdana("verdanabold", "dejavu/DejaVuSans-Bold.ttf", {}),
        "boldHelvetica": true_type_widths("liberation/LiberationSans-Bold.ttf"),
    }
    fallback = true_type_widths("dejavu/DejaVuSans-Bold.ttf")
    helvetica = fonts["boldHelvetica"]
    fonts["boldHelvetica"] = with_accents(fallback | helvetica, helvetica.keys())
    print("// Made by Tests/Tools/make-font-widths.py, which says where the numbers come from.\n")
    print("extension FontWidths {")
    print("  /// The first and the last character of each block in the tables.")
    print("  static let blocks: [ClosedRange<UInt32>] = [")
    for first, last in BLOCKS:
        print(f"    0x{first:X}...0x{last:X},")
    print("  ]")
    for name, widths in fonts.items():
        print(f"\n  static let {name}: [UInt16] = [\n{table(widths)}\n  ]")
    print("}")


if __name__ == "__main__":
    main()
