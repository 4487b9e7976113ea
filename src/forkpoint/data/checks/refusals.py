"""Answers that decline: "I cannot help with that", 抱歉，我无法回答.

An apology alone is none, nor is a thing that cannot be done ("we cannot ship to islands"): the
assistant must decline to help, or give as its reason that it is a machine or has rules.
"""

import re
from collections.abc import Iterator, Sequence

from forkpoint.data.checks.flag import Flag, Labels, around
from forkpoint.data.row import Row

HEAD_CHARACTERS = 260  # of an answer; one that declines says so at once

_CANNOT = (
    r"(?:(?:can(?:no|')t|can not|could(?:n't| not)|won't|will not|refuse to)"
    r"(?: and (?:will not|won't))?|"
    r"(?:am|'m|will be|'ll be|must be)? ?(?:just |simply |really |currently )?(?:unable|"
    r"not (?:able|allowed|permitted|designed|programmed|authori[sz]ed|going|willing|comfortable|"
    r"equipped|in a position))(?: to| with)?|won't be able to|will not be able to|"
    r"(?:do not|don't) (?:feel comfortable|have the (?:ability|capability|capacity) to)|"
    r"(?:must|have to|need to|will|'ll|'m going to have to|am going to)(?: have to)? "
    r"(?:respectfully |politely )?(?:decline|refuse|pass)(?: to| on)?|"
    r"(?:would |'d )?(?:prefer|rather) not(?: to)?)(?: \w+ly)?"
)
_SERVICE = (  # what a shop cannot do, or a person: no refusal to answer
    r"(?!\w+(?: \w+){0,4} (?:refunds?|discounts?|exchanges?|invoices?|deliver\w*|replacements?|"
    r"orders?|prices?|warrant\w+|tables?|rooms?|appointments?|bookings?|parcels?|packages?|"
    r"returns?)\b)"
)
_DECLINES = (  # of whatever it is: the assistant's own work
    r"(?:assist|compl(?:y|ying)|fulfil?l(?:ing)?|satisfy(?:ing)?|answer(?:ing)?|"
    r"respond(?:ing)?|reply|"
    r"discuss(?:ing)?|comment(?:ing)?|engag(?:e|ing)|participat(?:e|ing)|generat(?:e|ing)|"
    r"encourag(?:e|ing)|promot(?:e|ing)|condon(?:e|ing)|endors(?:e|ing)|facilitat(?:e|ing)|"
    r"diagnos(?:e|ing)|produc(?:e|ing)|support or|brows(?:e|ing)|"
    r"access(?:ing)? (?:the internet|the web|external|websites?|files?|links?|urls?|real-time|"
    r"your)|"
    r"help(?:ing)?(?: you)?(?: out)?(?: (?:with|in|on|by)|[.,!;]|$)|"
    r"(?:provide|provid|giv|give|offer|shar|share|supply|disclos|disclose|writ|write|creat|"
    r"create|mak|"
    r"make|compos|compose)(?:e|ing)?(?: you)?(?: with)? (?:(?:a|an|the|any|such|that|this|"
    r"these|those) )?"
    r"(?:\w+ ){0,2}?(?:that|this|such|any|it|guides?|information|instructions|content|"
    r"material|advice|"
    r"details|guidance|assistance|opinions?|recommendations?|answers?|responses?|steps|text|"
    r"stor(?:y|ies)|"
    r"code|jokes?|statements?|kind|type|sort|help|what you)\b|"
    r"do (?:that|this|so|what you)\b|tell you (?:how|that)\b|explain how to|continue\b|"
    r"(?:this|that|your) (?:request|question|one|conversation))"
)
_SORRY = r"(?:sorry|apologi[sz]e|apologies|afraid|unfortunately|regret)"
_ELSE = (  # what one cannot do without declining anything
    r"(?!find|locate|see (?:your|a|an|any)|come|attend|make it|join|reach|trace|stay|go\b|be there|"
    r"meet|wait|believe|stand|agree|lie|thank|help but|imagine|complain|remember|decide|sleep|"
    r"forget|afford|stop|say enough|get over|miss|hear you|eat|drink|drive|walk|swim|sing|"
    r"dance|cook|wear|let you|forgive|live|go\b|be\b|have\b)"
)
_MACHINE = (
    r"\bas an? (?:\w+ )?(?:ai|artificial intelligence|(?:large )?language model|llm|chatbot|"
    r"virtual assistant)(?:[- ]?(?:language )?(?:model|assistant|system|program|chatbot))?\b"
    r"[^.!?\n]{0,60}?(?:\bi\b|\bmy\b)[^.!?\n]{0,30}?(?:n't|not\b|cannot|unable|lack|without)"
)
_RULES = (
    r"(?:against|violates?|breach(?:es)?|not (?:in line|consistent|aligned) with|outside|conflicts "
    r"with) (?:my |our |the )(?:\w+ ){0,2}(?:guidelines|polic(?:y|ies)|programming|principles|"
    r"terms|rules|ethic\w*)|"
    r"(?:not|n't) (?:something|a topic|a request|one) (?:that )?i(?: can|'m able to|'m comfortable|"
    r"'m willing to| am able to| am willing to| am comfortable)|"
    r"(?:guidelines|polic(?:y|ies)|programming|rules|principles|terms|training)[^.!?\n]{0,30}"
    r"(?:do not|don't|does not|doesn't|won't|not|never) (?:allow|permit|let|enable)|"
    r"(?:prohibits?|prevents?|forbids?|keeps?|bars?) me from|"
    r"\bi (?:must|have to|need to|will|'ll)?(?: have to)? ?(?:respectfully |politely )?decline"
    r"(?: to (?:answer|respond|comment|do|help|assist|continue|say)|"
    r"[.,;]| this| that| your request)|"
    r"(?:would be|would not be|is|isn't|is not|wouldn't be) (?:inappropriate|unethical|appropriate|"
    r"ethical|right|irresponsible|responsible) for me to|"
    r"i(?:'m| am) (?:only )?(?:an ai|a language model|just an ai)[^.!?\n]{0,50}(?:n't|not|cannot|"
    r"unable)|"
    r"^(?:sorry|i'm sorry|i am sorry|my apologies|i apologi[sz]e)[,.!]? (?:but )?(?:no[,.! ]|"
    r"(?:that|this)(?:'s| is) not (?:possible|something))"
)
_NO_SELF = (
    r"\bi (?:do not|don't) (?:have|hold|possess) (?:any )?(?:personal|beliefs|feelings|opinions|"
    r"emotions|preferences|access|the (?:ability|capability|capacity)|a physical|real-time|"
    r"consciousness)"
)
_ENGLISH = re.compile(
    rf"\bi ?{_CANNOT} {_SERVICE}{_DECLINES}|{_MACHINE}|{_RULES}|{_NO_SELF}|"
    rf"\A[^.!?\n]{{0,30}}{_SORRY}[,.!]?[^.!?\n]{{0,60}}?\bi ?{_CANNOT} {_SERVICE}{_ELSE}\w|"
    rf"\A(?:no[,.] )?i ?{_CANNOT} {_SERVICE}{_ELSE}\w",
    re.IGNORECASE | re.MULTILINE,
)

_ZH_CANNOT = (
    r"(?:无法|不能够?|没有?办法|没法|不可以|不便|不宜|不应该?|不适合|难以|拒绝|恕不|未被授权|无权|没有权限|不方便|"
    r"(?:不被|没被|未获)允许|被禁止)"
)
_ZH_HELP = (
    r"(?:(?:直接|继续|为您?|为你|给您?|给你|向您?|向你|对此|就此|进行|帮您?|帮你|帮忙|在这方面|"
    r"再|参与)*)"
    r"(?:回答|回复|回应|作答|提供(?:这|该|此|任何|相关|有关|您|你|具体|医疗|法律|投资|帮助|建议|信息|答案)|"
    r"协助|帮助|满足(?:您|你|这|该|此)|完成(?:这|该|此|您|你)|执行(?:这|该|此|您|你)|"
    r"处理(?:这[个类种项]|该|此)(?:请求|要求|问题|任务|内容)|"
    r"讨论|谈论|评论|参与(?:讨论|这|此)|生成|创作|撰写(?:这|该|此|任何)|编写(?:这|该|此|任何)|"
    r"给出(?:答案|回答|建议|意见|评价|具体)|发表(?:意见|看法|评论)|透露|支持(?:这|该|此|您|你)|"
    r"接受(?:这|该|此|您|你)|配合|告诉(?:您|你)(?:如何|怎)|这样做|这么做|遵从|涉及)"
)
_ZH_ELSE = (  # what one cannot do without declining anything
    r"找到|查[到询]|确认|联系|修改|更改|退|换|发货|参加|出席|来|去|到|赶|陪|接|按时|及时|等|相信|忘记|"
    r"停|放弃|没有|不|同意|理解您|想象|活|睡|吃|喝|走|游泳|唱|跳|做饭|开车|再爱|原谅|骗|失去|离开|让|是|有"
)
_CHINESE = re.compile(
    rf"(?:我|本人|小助手|助手|本助手|本模型|模型|AI|人工智能|恕)[^。！？\n]{{0,14}}?{_ZH_CANNOT}"
    rf"[^。！？，\n]{{0,6}}?{_ZH_HELP}|"
    rf"(?:抱歉|对不起|不好意思|很遗憾|遗憾)[^。！？\n]{{0,24}}?{_ZH_CANNOT}{_ZH_HELP}|"
    rf"\A(?:非常|很|实在|真|十分|请|不好意思|抱歉|对不起|遗憾|原谅|谅解|[，,！!。 ])*我"
    rf"[^。！？，\n]{{0,4}}?(?:{_ZH_CANNOT}|不会|不能)(?!{_ZH_ELSE})|"
    r"(?:作为|身为|我(?:只|仅仅)?是)(?:一[个名款位种])?[^。，\n]{0,10}(?:AI|人工智能|语言模型|大模型|机器人|智能助手|虚拟助手)"
    r"[^。！？\n]{0,40}?(?:无法|不能|没有(?!任何偏见|偏见)|不会|不具备|不便|不可以)|"
    r"我[^。！？\n]{0,8}?"
    rf"{_ZH_CANNOT}[^。！？\n]{{0,12}}?(?:请求|要求|问题|话题|需求|这件事|此事|意见|看法|观点|建议|信息|内容)|"
    rf"(?:请求|要求|问题|话题|需求|内容|事)[，,]?我(?:也|恐怕|实在|暂时|目前|现在)?{_ZH_CANNOT}|"
    rf"我[^。！？，\n]{{0,4}}?{_ZH_CANNOT}帮|"
    rf"(?:语言模型|人工智能|AI|机器人|程序|智能助手)[，,]?(?:我|所以|因此|并)*{_ZH_CANNOT}|"
    r"(?:规定|设定|准则|政策|规则|规范|程序|原则|指引|协议|设计)[^。！？\n]{0,8}?"
    r"(?:不允许|不许|禁止|不让|不准|阻止|限制)我?|"
    r"恕难从命|恕我(?:无法|不能|拒绝)|无可奉告|"
    r"(?:这个|这类|该|此|您的|你的)(?:问题|请求|要求|话题|内容)[^。！？\n]{0,12}?"
    r"(?:我?(?:回答不了|帮不了|不能回答|无法回答|答不了|没法回答|不便回答|办不到|做不到)|超出了?我的(?:能力|权限|职责)|"
    r"违反了?|不符合)|"
    r"(?:我|本模型)(?:必须|只能|需要|不得不|得)?(?:礼貌地|谢绝|婉拒|拒绝)(?:您|你|这|该|此|回答|提供|执行)|"
    r"(?:帮不了|帮不上|答复不了|回答不了)(?:您|你|这)|换个话题(?:吧|再)",
    re.IGNORECASE,
)


def look(rows: Sequence[Row], labels: Labels) -> Iterator[Flag]:
    """Rows whose answer declines to answer."""
    for place, row in enumerate(rows):
        if row.text is not None or row.answer in labels:
            continue
        head = row.answer[:HEAD_CHARACTERS].replace("’", "'")
        found = _ENGLISH.search(head) or (None if head.isascii() else _CHINESE.search(head))
        if found:
            yield Flag(place, around(head, *found.span()))
