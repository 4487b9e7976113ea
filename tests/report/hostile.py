"""Strings that a file, a model or a name could hold to attack whoever looks at them."""

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<!--<script>",
    '"><img src=x onerror=alert(3)>',
    "' onmouseover='alert(4)' x='",
    "<svg/onload=alert(5)><animate onbegin=alert(6)>",
    "]]></text><foreignObject><body onload=alert(7)>",
    "javascript:alert(8)",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}{# gone #}${7*7}#{7*7}",
    "{0.__class__} {arm} %s %(x)s",
    "[bold red]markup[/] [link=file:///etc/passwd]x[/link] :bomb:",
    "$\\frac{1}{0}$ $unclosed _sub^sup",
    "\x1b[2J\x1b[31mred\x1b]8;;http://x\x07link\x1b]8;;\x07\x1bP1$r\x9b31m",
    "user\u202etxt.exe\u2066\u2069\u200e\u061c",
    "zero\u200bwidth\ufeff\u2060\u00ad\U000e0041",
    "nul\x00back\x08space\rreturn\x7f\x85\u2028\u2029",
    "url(#x) style=color:red;}</style><style>*{display:none}",
    "&lt;b&gt; &#60;script&#62; &amp;",
    "a" * 50_000,
)
