"""Configuration of the documentation; `make docs` builds it."""

import os
import re
import tempfile
import zlib
from pathlib import Path

# The examples train small networks: a second thread would cost more than it brings.
os.environ["OMP_NUM_THREADS"] = "1"

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml

import skae

project = "skae"
author = "The skae developers"
copyright = "the skae developers"
version = release = skae.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
default_role = "literal"
highlight_language = "python"

# ---------------------------------------------------------------- API pages

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say it better
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# ---------------------------------------------------------------- formulas

# Browsers draw MathML themselves: no script, no network. docutils translates all of LaTeX that we
# use but sizes of brackets, which grow in MathML anyway.
html_math_renderer = "mathml"


def formula(node, *, block):
    """Return a formula as MathML."""
    text = re.sub(r"\\[bB]ig(?![a-z])", "", node.astext()).replace(r"\dots", r"\ldots")
    return tex2mathml(text, as_block=block)


def visit_math(translator, node):
    """Write a formula that stands in a line."""
    translator.body.append(formula(node, block=False))
    raise SkipNode


def visit_displaymath(translator, node):
    """Write a formula that stands alone."""
    translator.body.append(f'<div class="formula">{formula(node, block=True)}</div>')
    raise SkipNode


# ---------------------------------------------------------------- links to other projects


def empty_inventory():
    """Write an inventory without entries: what is used where the real one can't be reached."""
    path = Path(tempfile.gettempdir(), "skae-docs-empty-objects.inv")
    header = "# Sphinx inventory version 2\n# Project: none\n# Version: 0\n"
    header += "# The remainder of this file is compressed using zlib.\n"
    path.write_bytes(header.encode() + zlib.compress(b""))
    return str(path)


intersphinx_mapping = {
    name: (url, (None, empty_inventory()))
    for name, url in {
        "python": "https://docs.python.org/3",
        "numpy": "https://numpy.org/doc/stable",
        "scipy": "https://docs.scipy.org/doc/scipy",
        "matplotlib": "https://matplotlib.org/stable",
        "sklearn": "https://scikit-learn.org/stable",
        "skorch": "https://skorch.readthedocs.io/en/stable",
        "torch": "https://docs.pytorch.org/docs/stable",
    }.items()
}
intersphinx_timeout = 5

# Labels in docstrings that come from scikit-learn.
labels_of_sklearn = {
    "df_output_transform",
    "metadata_routing",
    "sphx_glr_auto_examples_miscellaneous_plot_set_output.py",
}


def keep_as_text(app, env, node, contnode):
    """Show a reference to scikit-learn's glossary or guide as text if there is no network."""
    if node.get("reftype") == "term" or node.get("reftarget") in labels_of_sklearn:
        return contnode
    return None


# ---------------------------------------------------------------- examples

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    "ignore_pattern": r"run_demo\.py",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skae",),
    "reference_url": {"skae": None},
    "within_subsection_order": "ExampleTitleSortKey",
    "image_scrapers": ("matplotlib",),
    "matplotlib_animations": False,
    "thumbnail_size": (640, 448),
    "show_memory": False,
    "write_computation_times": False,  # a page that loads scripts from elsewhere
    "min_reported_time": 0,
    "download_all_examples": False,
    "parallel": True,  # as many at once as sphinx has jobs
    "plot_gallery": "True",
    "abort_on_example_error": False,
    "show_signature": False,
}

# ---------------------------------------------------------------- appearance

html_context = {"default_mode": "auto"}  # light or dark, as the system has it
html_theme = "pydata_sphinx_theme"
html_title = "skae"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["first_page.css"]
html_theme_options = {
    "logo": {"text": "skae"},
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"changelog": []}

# The prompts and the output of examples are not copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# ---------------------------------------------------------------- the changelog


def markdown_to_rst(app, relative_path, parent_docname, content):
    """Translate the little Markdown that CHANGELOG.md uses: headings and links."""
    text = content[0]
    for level, line in enumerate("=-~", start=1):
        text = re.sub(
            rf"^#{{{level}}} \[?([^\]\n]+)\]?(.*)$",
            lambda m, line=line: f"{m[1]}{m[2]}\n{line * len(m[1] + m[2])}",
            text,
            flags=re.MULTILINE,
        )
    content[0] = re.sub(r"\[([^\]]+)\]\(([^)]+)\)", r"`\1 <\2>`__", text)


def setup(app):
    """Connect what needs Sphinx's events."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    app.connect("include-read", markdown_to_rst)
    app.connect("missing-reference", keep_as_text, priority=900)  # after intersphinx
