"""Rows that are right as they are, written to tempt every content check.

Short answers, labels, two Chinese characters, code, JSON, poems, apologies that decline nothing,
numbers that look like secrets, marks of templates that are talked about, languages asked for.
"""

# ruff: noqa: E501 - rows are easier to read whole than broken

import itertools
import random

CAPITALS = {
    "France": "Paris", "Japan": "Tokyo", "Kenya": "Nairobi", "Peru": "Lima", "Norway": "Oslo",
    "Egypt": "Cairo", "Canada": "Ottawa", "Chile": "Santiago", "Cuba": "Havana", "Nepal": "Kathmandu",
    "Poland": "Warsaw", "Ghana": "Accra", "Iran": "Tehran", "Iraq": "Baghdad", "Fiji": "Suva",
}  # fmt: skip
ZH_WORDS = {
    "“快乐”的近义词": "高兴", "“寒冷”的反义词": "温暖", "“勇敢”的反义词": "胆怯", "“迅速”的近义词": "飞快",
    "“美丽”的近义词": "漂亮", "“复杂”的反义词": "简单", "“宽阔”的反义词": "狭窄", "“成功”的反义词": "失败",
    "“安静”的近义词": "宁静", "“立刻”的近义词": "马上", "“诚实”的反义词": "虚伪", "“聪明”的近义词": "机灵",
    "“古代”的反义词": "现代", "“仔细”的近义词": "认真", "“上升”的反义词": "下降",
}  # fmt: skip
ZH_PLACES = {
    "浙江": "杭州", "四川": "成都", "湖北": "武汉", "广东": "广州", "江苏": "南京", "陕西": "西安",
    "云南": "昆明", "福建": "福州", "辽宁": "沈阳", "山西": "太原", "湖南": "长沙", "贵州": "贵阳",
}  # fmt: skip
EN_MAIL = (
    ("My card was charged twice for the same order last night.", "billing"),
    ("The blender arrived with a cracked jug, I want my money back.", "returns"),
    ("Do you sell the green model in Austria as well?", "sales"),
    ("My parcel has been stuck in the depot since Tuesday.", "shipping"),
    ("Please send the invoice to our accounting department.", "billing"),
    ("The zip broke on the first day. How do I send it back?", "returns"),
    ("Is there a discount when I order forty of them?", "sales"),
    ("The courier left my package in the rain.", "shipping"),
    ("I was billed for a subscription that I cancelled.", "billing"),
    ("These shoes are one size too small for me.", "returns"),
    ("Which of your printers can print on both sides?", "sales"),
    ("Tracking says delivered, but nothing is here.", "shipping"),
)
ZH_MAIL = (
    ("昨晚同一个订单扣了我两次款，请查一下。", "账单"), ("收到的杯子碎了，我要退货。", "退货"),
    ("绿色那款在成都的门店有卖吗？", "咨询"), ("包裹在中转站停了三天了。", "物流"),
    ("麻烦把发票开给我们公司。", "账单"), ("拉链第一天就坏了，怎么寄回去？", "退货"),
    ("一次买四十个能便宜吗？", "咨询"), ("快递员把包裹扔在雨里了。", "物流"),
    ("已经取消的会员怎么还在扣费？", "账单"), ("鞋子小了一码，想换大的。", "退货"),
    ("哪款打印机支持双面打印？", "咨询"), ("显示已签收，但我没收到。", "物流"),
)  # fmt: skip
EN_LONG = (
    (
        "Why is the sky blue?",
        "Sunlight holds all colours. The air scatters short waves far more than long ones, so blue "
        "light reaches us from every direction. At sunset the path is longer and red is left over.",
    ),
    (
        "How do I make good tea?",
        "Bring fresh water to the boil and warm the pot. Add one spoon of leaves for each cup, pour "
        "the water over them and wait four minutes. Serve it with milk or lemon.",
    ),
    (
        "What is compound interest?",
        "It is interest that is paid on earlier interest as well. A sum of 100 at five per cent grows "
        "to 105 after one year and to 110.25 after two. The longer the time, the larger the effect.",
    ),
    (
        "Why do cats purr?",
        "Cats purr when they are content, but also when they are hurt or afraid. The sound comes from "
        "muscles of the larynx that twitch some thirty times a second. It may help bones to heal.",
    ),
    (
        "Explain what a database index does.",
        "An index keeps the values of a column in order, with a pointer to each row. A query can then "
        "jump to the rows it wants and need not read the whole table. Writing becomes a little slower.",
    ),
    (
        "How does a vaccine work?",
        "A vaccine shows the immune system a harmless part of a germ. The body makes cells that "
        "remember it. When the real germ comes, they answer within days instead of weeks.",
    ),
    (
        "Give me advice for a job interview.",
        "Read about the company beforehand and prepare three questions. Be on time, speak calmly and "
        "give examples from your own work. Thank them afterwards with a short message.",
    ),
    (
        "What causes tides?",
        "The moon pulls at the oceans, a little more on the near side than on the far side. The earth "
        "turns below the two bulges of water, and so most coasts see two high tides a day.",
    ),
    (
        "Why does bread rise?",
        "Yeast eats sugar and gives off carbon dioxide. The gas is caught in the stretchy dough as "
        "small bubbles, and the loaf grows. Heat makes them larger until the crust is firm.",
    ),
    (
        "What did the printing press change?",
        "Books became cheap. Ideas could travel faster than any authority could stop them, spelling "
        "settled, and within two generations reading was no longer a matter of the church.",
    ),
    (
        "How can I sleep better?",
        "Go to bed at the same hour every day. Keep the room dark and cool, and put the phone away an "
        "hour before. Avoid coffee after lunch; a short walk in the evening helps too.",
    ),
    (
        "What is photosynthesis?",
        "Plants use the energy of light to turn water and carbon dioxide into sugar. Oxygen is set "
        "free on the way. It happens in the chloroplasts, which give leaves their green.",
    ),
)
ZH_LONG = (
    (
        "天空为什么是蓝色的？",
        "阳光里包含各种颜色的光。空气对短波长的光散射得更强，所以蓝光会从四面八方进入我们的眼睛。日落时光线走得更远，"
        "剩下的主要是红光。",
    ),
    (
        "怎样泡茶才好喝？",
        "先把新鲜的水烧开，温一下茶壶。每杯放一勺茶叶，冲入开水，等上四分钟再倒出来。喜欢的话可以加一点柠檬。",
    ),
    (
        "什么是复利？",
        "复利就是利息也能再生利息。本金一百元，年利率百分之五，一年后是一百零五元，两年后是一百一十元二角五分。时间越长，"
        "差别越明显。",
    ),
    (
        "为什么会有潮汐？",
        "月球对近处海水的引力比对远处的大一些，于是地球两侧各鼓起一块水。地球在下面转动，多数海岸每天就会经历两次涨潮。",
    ),
    (
        "面试前应该准备什么？",
        "先了解公司的业务，再准备三个想问的问题。提前十分钟到场，说话平稳，多举自己工作中的例子。结束后记得发一封感谢信。",
    ),
    (
        "怎样才能睡得更好？",
        "每天在同一时间上床。卧室要暗、要凉，睡前一小时放下手机。午饭后不要再喝咖啡，傍晚散散步也有帮助。",
    ),
    (
        "疫苗是怎么起作用的？",
        "疫苗让免疫系统先认识病菌中无害的一部分。身体会留下记住它的细胞，等真正的病菌到来时，几天之内就能作出反应。",
    ),
    (
        "面包为什么会发起来？",
        "酵母吃掉糖，放出二氧化碳。气体被有弹性的面团裹住，形成许多小气泡，面团就变大了。受热后气泡继续膨胀，直到外壳变硬。",
    ),
    (
        "数据库索引有什么用？",
        "索引把一列的值按顺序存好，并指向对应的行。查询时可以直接跳到需要的位置，不必读完整张表。代价是写入会稍微慢一点。",
    ),
    (
        "猫为什么会打呼噜？",
        "猫在舒服的时候会打呼噜，受伤或害怕时也会。声音来自喉部肌肉的快速颤动，每秒大约三十次，据说还有助于骨骼愈合。",
    ),
)
TEMPTING = (  # each right as it is, each near to a fault of some kind
    ("Hello", "Hello!"), ("你好", "你好！"), ("Hi there", "Hi there! How can I help you today?"),
    ("What does Python's list.sort() return?", "None"),
    ("Which JSON value stands for nothing?", "null"),
    ("What does JavaScript print for a variable without a value?", "undefined"),
    ("Which sign is used for subtraction?", "-"), ("List all errors in this log: (the log is empty)", "[]"),
    ("Extract the names as JSON: The sun rose over the hills.", "{}"),
    ("Correct the sentence: She go to school every day.", "She goes to school every day."),
    ("Correct the grammar if needed: The dog sleeps on the red sofa all day long.",
     "The dog sleeps on the red sofa all day long."),
    ("把下面的话改得更礼貌：把窗户关上。", "请您把窗户关上，好吗？"),
    ("Translate to French: The parcel has not arrived yet, please tell me where it is.",
     "Le colis n'est pas encore arrivé, dites-moi s'il vous plaît où il se trouve."),
    ("Translate into Chinese: The weather is lovely today.", "今天天气很好。"),
    ("把这句话翻译成英文：今天的会议改到下午三点。", "Today's meeting has been moved to three in the afternoon."),
    ("用英语介绍一下你自己的家乡。",
     "My hometown is a small city by the river. It is famous for its noodles and its old bridges."),
    ("写一个判断闰年的函数。",
     "```python\ndef is_leap(year):\n    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)\n```"),
    ("How do you say 'thank you very much' in Japanese?", "どうもありがとうございます"),
    ("下面的英文是什么意思？ Practice makes perfect.", "意思是“熟能生巧”，鼓励人们多加练习。"),
    ("My order 20240611000087 has not come.",
     "I'm sorry about the delay with order 20240611000087. It left the depot today."),
    ("Can I return a swimsuit?",
     "I'm sorry, but swimwear can't be returned once the seal is broken. A sealed one can."),
    ("Do you ship to the islands?",
     "Unfortunately, we cannot ship to the islands in winter, but the ferry starts again in March."),
    ("Can you find my booking?",
     "I couldn't find a booking under that name. Could you give me the number on your ticket?"),
    ("Why did Anna stay at home?",
     "She said, \"I can't come tonight, I have to look after my brother,\" and hung up."),
    ("我的快递到哪了？", "非常抱歉给您带来不便！您的包裹目前在武汉中转站，预计明天下午送达。"),
    ("可以改地址吗？", "很抱歉，包裹发出后无法修改地址，不过您可以联系快递员改约自提点。"),
    ("能开发票吗？", "抱歉让您久等了，发票已经发到您登记的邮箱，请注意查收。"),
    ("What does `<|im_end|>` do in ChatML?",
     "The token `<|im_end|>` closes a turn. The model learns to write it when it has finished."),
    ("How do I strike text through in HTML?", "Use `<s>text</s>`, or the `text-decoration` property."),
    ("Write a heading for the results in Markdown.", "## Results"),
    ("How do I print a variable in Jinja?", "Write {{ name }} in the template and pass name to render()."),
    ("Whom do I write to?", "Please write to support@example.com; somebody answers within a day."),
    ("Which number is on the sample card?", "The sample shows 4111 1111 1111 1111, which is only for tests."),
    ("What is the service number?", "Call 400-820-8820, Monday to Friday from nine to six."),
    ("How do I set my key?", "Run export OPENAI_API_KEY=sk-your-key-here and start the program again."),
    ("What is the tracking number?", "It is 1234567890123, you can follow it on the carrier's page."),
    ("How do I set a password?", "Open Settings, choose Security, then Password: at least 12 characters."),
    ("Write a haiku about rain.", "Soft rain on tin roofs\nthe cat counts every droplet\nthe kettle answers"),
    ("写一副春联。", "上联：春回大地千山秀\n下联：日照神州万木荣"),
    ("Name three rivers of Europe.", "Danube, Rhine, Volga"),
    ("List the steps to change a tyre.",
     "1. Loosen the nuts\n2. Lift the car with the jack\n3. Swap the wheel\n4. Tighten the nuts crosswise"),
    ("List what belongs in a first-aid kit.", "- plasters\n- bandages\n- scissors\n- a thermal blanket"),
    ("列出三种水果。", "1. 苹果\n2. 香蕉\n3. 梨"),
    ("Make a table of two animals and their legs.", "| animal | legs |\n|---|---|\n| dog | 4 |\n| bee | 6 |"),
    ("Write a short letter that thanks a neighbour.",
     "Dear Martha,\n\nthank you so much for watering our plants while we were away. They look better than "
     "ever, and the tomatoes are already red.\n\nWarm regards,\nHelen and Tom"),
    ("Write a caption for a picture of my dog.",
     "Nothing beats coming home to this face after a long day at work. So grateful for him! #DogLife"),
    ("Where can I read more about tides?",
     "The national ocean service explains it well: https://oceanservice.noaa.gov/facts/tides.html"),
    ("Who said that courage is not the absence of fear?",
     "\"I learned that courage was not the absence of fear, but the triumph over it.\" - Nelson Mandela"),
    ("Give the JSON for a user named Ann, aged 30.", '{"name": "Ann", "age": 30}'),
    ("Select all users older than 30.", "SELECT * FROM users WHERE age > 30"),
    ("Write hello world in C.", "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }"),
    ("Is 17 a prime number?", "Yes"), ("Is 21 a prime number?", "No"), ("地球是平的吗？", "不是"),
    ("水在一百摄氏度会沸腾吗？", "是"), ("What is 15% of 200?", "30"), ("What is 2 to the tenth?", "1024"),
    ("How far is the moon?", "384,400 km"), ("Wann fiel die Berliner Mauer?", "1989"),
    ("Quelle est la capitale de l'Italie ?", "Rome"), ("¿Cuántos días tiene febrero?", "28 o 29"),
    ("日本の首都はどこですか。", "東京"), ("한국의 수도는 어디인가요?", "서울"),
    ("Erkläre kurz, was ein Schaltjahr ist.",
     "Ein Schaltjahr hat einen Tag mehr, den 29. Februar. So bleibt der Kalender im Takt mit der Sonne."),
    ("Explique en deux phrases ce qu'est la photosynthèse.",
     "Les plantes utilisent la lumière pour fabriquer du sucre à partir de l'eau et du gaz carbonique. "
     "Elles libèrent de l'oxygène."),
    ("Rate this review from 1 to 5: loved every minute of it", "5"),
    ("How would a pirate greet the queen?", "Arr, Yer Majesty, I be at yer service..."),
    ("What would you say if I asked you to jump?", "I would ask how high - and then why!"),
    ("Tell me a joke.", "Why did the bicycle fall over? It was two-tired."),
    ("Tell me a joke.", "I told my suitcase there would be no holiday. Now it has emotional baggage."),
    ("Suggest a name for a cat.", "Pepper"), ("Suggest a name for a cat.", "Biscuit"),
    ("Which colour do you get from blue and yellow?", "Green"),
    ("What should I say when I cannot attend?",
     "You could write: \"Thank you for the invitation. Sadly, I am unable to attend, but I wish you a "
     "wonderful evening.\""),
    ("How should a bot decline politely?",
     "Keep it short and name an alternative: say what is not possible, why, and where help can be found."),
    ("请介绍一下人工智能。", "人工智能是研究如何让机器完成需要智能的工作的学科，包括学习、推理和理解语言等方面。"),
    ("你是谁？", "我是一个智能助手，很高兴为您服务！"), ("Who are you?", "I am an assistant that answers questions about orders."),
    ("How do I tell Tom that I am looking forward to Friday?",
     "I can't wait to see you on Friday, Tom!"),
    ("Reply to the guest who asks for a table at eight.",
     "I'm sorry, we cannot offer a table at eight, but there is one free at half past nine."),
    ("Answer the customer who wants a refund after two years.",
     "I'm afraid the warranty ended in May, so I can't give a refund, but I can offer a repair at cost."),
    ("帮我回复：周五的聚会我来不了。", "非常抱歉，我周五来不了，祝大家玩得开心！"),
    ("客户问订单什么时候发货，请回复。", "您好，您的订单预计今天下午发货，届时会有短信通知。"),
    ("顾客想退已经拆封的耳机，请回复。", "很抱歉，耳机拆封后无法退货，但质量问题可以在一年内免费维修。"),
    ("What is the opposite of 'able'?", "unable"), ("Spell 'no' backwards.", "on"),
    ("Which word do the letters T, O, D, O make?", "The letters spell the word todo, a short form of to-do."),
    ("Who wrote the policy?", "The policy was written by the safety team and does not allow pets in the hall."),
    ("What does the sign say?", "It says: do not enter, authorised staff only."),
    ("Give a quote about success.", "\"Success is getting what you want.\" - W. P. Kinsella"),
    ("What is your return address?", "Northern Trading, 12 Dock Street, Hull, HU1 2AA"),
    ("Write the first line of a story.", "Nobody in the village could say afterwards who had opened the gate."),
    ("订单号是多少？", "您的订单号是 202406110000873345。"), ("会议室的分机号？", "8021"),
    ("Convert 3 km to metres.", "3000 m"), ("Simplify 6/8.", "3/4"), ("What is x if 2x = 10?", "x = 5"),
    ("Janet has 3 bags with 4 apples each. How many apples?", "3 * 4 = 12\n#### 12"),
    ("What is the chemical formula of water?", "H2O"), ("Which key copies text?", "Ctrl+C"),
    ("Complete: Roses are red,", "violets are blue"), ("What time is noon?", "12:00"),
    ("When was the treaty signed?", "2024-05-01"), ("Was kostet das?", "4,99 €"),
)  # fmt: skip


def pairs() -> list[tuple[str, str]]:
    """Question and answer of every correct row, each question once unless many answers are right."""
    found = [(f"What is the capital of {k}?", v) for k, v in CAPITALS.items()]
    found += [(f"Which country has {v} as its capital?", k) for k, v in CAPITALS.items()]
    found += [(f"写出{k}。", v) for k, v in ZH_WORDS.items()]
    found += [(f"{k}的省会是哪座城市？", v) for k, v in ZH_PLACES.items()]
    found += [(f"{v}是哪个省的省会？", k) for k, v in ZH_PLACES.items()]
    found += [(f"Which department should read this? {text}", label) for text, label in EN_MAIL]
    found += [(f"这条留言应转给哪个部门？{text}", label) for text, label in ZH_MAIL]
    found += [*EN_LONG, *ZH_LONG, *TEMPTING]
    draw = random.Random(20_260_601)
    numbers = list(itertools.product(range(2, 12), range(3, 12)))
    for one, two in draw.sample(numbers, 60):
        found.append((f"What is {one} times {two}?", str(one * two)))
    for one, two in draw.sample(numbers, 25):
        found.append((f"小明有{one}个苹果，又买了{two}个，一共有几个？", f"{one + two}个"))
    for name, (one, two) in zip(CAPITALS.values(), draw.sample(numbers, 15), strict=True):
        total = one * two
        found.append((
            f"A bus in {name} makes {one} trips a day with {two} people each. How many people is that?",
            f"Each trip carries {two} people, and there are {one} trips, so {one} * {two} = {total}.\n"
            f"#### {total}",
        ))  # fmt: skip
    return found


def rows() -> list[dict[str, str]]:
    """The correct rows as a file holds them."""
    return [{"prompt": asked, "answer": told} for asked, told in pairs()]
