"""What a chat template or an export left in the text: `<|im_end|>`, `### Response:`, `{{name}}`.

Code spans are left alone, for there such marks are talked about. A mark that is also honest text
(`</s>` in HTML, a heading "### Output") counts only where a template would have put it.
"""

import re
from collections.abc import Iterator, Sequence

from forkpoint.data.checks.flag import Flag, Labels, around, texts, without_code
from forkpoint.data.row import Row

MARKS = (  # of the published templates: ChatML, Llama, Gemma, Phi, Zephyr, GLM, DeepSeek
    r"<\|(?:im_start|im_end|im_sep|endoftext|end_of_text|begin_of_text|eot_id|eom_id|start_header_id|"
    r"end_header_id|end|start|user|assistant|system|observation|tool|python_tag|return|channel|"
    r"message|constrain|endofprompt|sep|pad|eos|bos|EOT|END_OF_TURN_TOKEN|START_OF_TURN_TOKEN|"
    r"[A-Za-z_]{2,24}_TOKEN|[A-Z_]{3,24}|fim_\w{2,9}|vision_\w{3,6}|(?:image|audio|video)_pad)\|>|"
    r"<(?:start|end)_of_turn>|<｜[^｜<>\n]{2,30}｜>|<\|?(?:begin|end)[▁_]of[▁_]sentence\|?>|"
    r"\[/?INST\]|<</?SYS>>|\[/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|IMG)\]|"
    r"\[(?:gMASK|CLS|SEP|PAD|UNK|MASK|EOS|BOS)\]|<(?:eos|bos|pad|unk|eod|eop|sop|eom|eoh|eoa)>|"
    r"<reserved_\d+>|<extra_id_\d+>|<unused\d+>|<\[(?:SILENCE|EOS)\]>"
)
HEADINGS = (  # of Alpaca, Vicuna and their translations, at the start of a line
    r"^#{2,4} ?(?:Response|Instruction|Human|Assistant|User|System|Prompt|Question and Answer|"
    r"AI|Bot|Completion|回答|回复|指令|问题|助手|用户|输入|输出|系统)\s?[:：]"
)
ROLES = r"Human|User|Assistant|AI|Bot|GPT|System|ASSISTANT|USER|用户|助手|人类|机器人"
_MARK = re.compile(MARKS)
_HEADING = re.compile(HEADINGS, re.MULTILINE)
_EDGE = re.compile(  # where a template begins or ends a turn
    rf"\A\s*</?s>|(?:</?s>|\n(?:{ROLES})[:：])\s*\Z|\n\n(?:Human|Assistant|USER|ASSISTANT): "
)
_ANSWER_EDGE = re.compile(rf"\A\s*(?:{ROLES})(?:: |:\n|：)")  # a question may quote a dialogue
_SLOT = re.compile(  # a place nobody filled
    r"\{\{ ?[A-Za-z_\u4e00-\u9fff][\w .\u4e00-\u9fff]{0,30} ?\}\}|"
    r"\{%-? ?\w+[^%\n]{0,60}%\}|\[(?:insert|enter) [a-z' ]{2,30}(?: here)?\]|"
    r"<\|?(?:insert|placeholder)[a-z_ ]{0,20}\|?>",
    re.IGNORECASE,
)
_TRIGGERS = ("<", "[", "#", "{", ":", "：")
_CODE_ROW = re.compile(
    r"jinja|handlebars|mustache|vue|angular|latex|template|模板|占位", re.IGNORECASE
)


def look(rows: Sequence[Row], labels: Labels) -> Iterator[Flag]:
    """Rows with marks of a template in any of their texts."""
    for place, row in enumerate(rows):
        for text in texts(row):
            if not any(sign in text for sign in _TRIGGERS):
                continue
            bare = without_code(text)
            found = _MARK.search(bare) or _HEADING.search(bare) or _EDGE.search(bare)
            if found is None and text is row.answer and row.turns:
                found = _ANSWER_EDGE.match(bare)
            if found is None and (slot := _SLOT.search(bare)) and not _talks_of_templates(row):
                found = slot
            if found:
                yield Flag(place, around(bare, *found.span()))
                break


def _talks_of_templates(row: Row) -> bool:
    return any(_CODE_ROW.search(text) for text in texts(row))
