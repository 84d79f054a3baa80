"""Writes identity-v1.json: the golden vectors of docs/FORMAT.md.

An implementation of the specification of its own, on Python's hashlib alone. Run: python3 test/vectors/generate.py
"""

import hashlib
import json
import math
import pathlib
import struct


def sha256(data):
    return hashlib.sha256(data).digest()


# Values are tagged: {"int": "5"}, {"float": "<IEEE-754 bits in hex>"}, {"decimal": ["<unscaled>", scale]}, {"bytes": hex},
# {"date": "<days>"}, {"time" | "timestamp" | "instant": "<nanoseconds>"}, {"object": [[name, value]…]},
# {"map": [[key, value]…]}; null, booleans, text and lists stand for themselves.


def Int(n):
    return {"int": str(n)}


def Float(x):
    return {"float": struct.pack(">d", x).hex()}


def Decimal(unscaled, scale):
    return {"decimal": [str(unscaled), scale]}


def Object(*members):
    return {"object": [list(m) for m in members]}


def Map(*entries):
    return {"map": [list(e) for e in entries]}


def encode(value):
    if value is None:
        return b"N"
    if value is True:
        return b"T"
    if value is False:
        return b"F"
    if isinstance(value, str):
        raw = value.encode("utf-8")
        return b"S%d:%s" % (len(raw), raw)
    if isinstance(value, list):
        return b"L%d:" % len(value) + b"".join(encode(item) for item in value)
    ((tag, body),) = value.items()
    if tag == "int":
        return b"I%d;" % int(body)
    if tag == "float":
        (x,) = struct.unpack(">d", bytes.fromhex(body))
        if math.isnan(x):
            return b"D7FF8000000000000"
        if math.isfinite(x) and x == math.floor(x) and abs(x) <= 2**53:
            return b"I%d;" % int(x)
        return b"D" + body.upper().encode()
    if tag == "decimal":
        sign = "-" if int(body[0]) < 0 else ""
        digits = str(abs(int(body[0]))).rjust(body[1] + 1, "0")
        whole, part = digits[: len(digits) - body[1]], digits[len(digits) - body[1] :].rstrip("0")
        return (f"M{sign}{whole}.{part};" if part else f"I{sign}{whole};").encode()
    if tag == "bytes":
        return b"B%d:%s" % (len(body) // 2, body.upper().encode())
    if tag in ("date", "time", "timestamp", "instant"):
        return b"%s%d;" % ({"date": b"d", "time": b"t", "timestamp": b"s", "instant": b"z"}[tag], int(body))
    if tag == "object":
        named = sorted((name.encode("utf-8"), name, v) for name, v in body if v is not None)
        return b"O" + b"".join(encode(name) + encode(v) for _, name, v in named) + b"E"
    if tag == "map":
        pairs = sorted((encode(k), encode(v)) for k, v in body)
        return b"P%d:" % len(pairs) + b"".join(k + v for k, v in pairs)
    raise ValueError(tag)


rows = []


def row(name, *columns, same_as=None):
    """Columns are (name, type, value, sql, json text or None)."""
    preimage = b"holdout-row-v1:" + encode(Object(*((c[0], c[2]) for c in columns)))
    rows.append(
        {
            "name": name,
            "sameAs": same_as,
            "columns": [
                {"name": c[0], "type": c[1], "value": c[2], "sql": c[3], "json": c[4] if len(c) > 4 else None}
                for c in columns
            ],
            "preimage": preimage.decode("utf-8"),
            "digest": sha256(preimage).hex(),
        }
    )


def one(name, type, value, sql, json_text=None, same_as=None):
    row(name, ("v", type, value, sql, json_text), same_as=same_as)


def text(value):
    """SQL for a text, free of characters that a literal cannot hold."""
    return " || ".join(f"chr({ord(c)})" for c in value) if value else "''"


def quoted(value):
    return json.dumps(value)


# No columns, and null.
row("no columns")
one("null is the same as no column", "NULL", None, "NULL", "null", same_as="no columns")
one("a text column that is null", "VARCHAR", None, "NULL::VARCHAR", "null", same_as="no columns")
one("JSON null", "JSON", None, "'null'::JSON", "null", same_as="no columns")

# Booleans, integers, floats.
one("true", "BOOLEAN", True, "true", "true")
one("false", "BOOLEAN", False, "false", "false")
one("one", "BIGINT", Int(1), "1::BIGINT", "1")
one("one as a tiny integer", "TINYINT", Int(1), "1::TINYINT", "1", same_as="one")
one("one as an unsigned integer", "UBIGINT", Int(1), "1::UBIGINT", "1", same_as="one")
one("one as a double", "DOUBLE", Float(1.0), "1::DOUBLE", "1.0", same_as="one")
one("one as a float", "FLOAT", Float(1.0), "1::FLOAT", "1e0", same_as="one")
one("one as a decimal", {"decimal": [4, 2]}, Decimal(100, 2), "1.00::DECIMAL(4,2)", same_as="one")
one("text one", "VARCHAR", "1", "'1'", '"1"')
one("text true", "VARCHAR", "true", "'true'", '"true"')
one("text null", "VARCHAR", "null", "'null'", '"null"')
one("zero", "BIGINT", Int(0), "0::BIGINT", "0")
one("minus zero, a double", "DOUBLE", Float(-0.0), "'-0.0'::DOUBLE", "-0.0", same_as="zero")
one("minus zero, an integer literal", "JSON", Int(0), "'-0'::JSON", "-0", same_as="zero")
one("zero as a decimal without digits before the point", {"decimal": [2, 2]}, Decimal(0, 2), "0::DECIMAL(2,2)", same_as="zero")
one("least of 64 bits", "BIGINT", Int(-(2**63)), "(-9223372036854775808)::BIGINT", "-9223372036854775808")
one("most of unsigned 64 bits", "UBIGINT", Int(2**64 - 1), "18446744073709551615::UBIGINT", "18446744073709551615")
one("38 nines", {"decimal": [38, 0]}, Int(10**38 - 1), "'%s'::DECIMAL(38,0)" % ("9" * 38), "9" * 38)
one("minus 38 nines", {"decimal": [38, 0]}, Int(1 - 10**38), "'-%s'::DECIMAL(38,0)" % ("9" * 38), "-" + "9" * 38)
one("2^53", "BIGINT", Int(2**53), "9007199254740992::BIGINT", "9007199254740992")
one("2^53 as a double", "DOUBLE", Float(2.0**53), "9007199254740992::DOUBLE", "9007199254740992.0", same_as="2^53")
one("2^53 + 1", "BIGINT", Int(2**53 + 1), "9007199254740993::BIGINT", "9007199254740993")
one("2^53 + 2", "BIGINT", Int(2**53 + 2), "9007199254740994::BIGINT", "9007199254740994")
one("2^53 + 2 as a double", "DOUBLE", Float(2.0**53 + 2), "9007199254740994::DOUBLE", "9007199254740994.0")
one("-2^53 as a double", "DOUBLE", Float(-(2.0**53)), "(-9007199254740992)::DOUBLE", "-9007199254740992e0")
one("1e308", "DOUBLE", Float(1e308), "1e308::DOUBLE", "1e308")
one("least subnormal", "DOUBLE", Float(5e-324), "5e-324::DOUBLE", "5e-324")
one("a tenth", "DOUBLE", Float(0.1), "0.1::DOUBLE", "0.1")
one("a tenth in 32 bits", "FLOAT", Float(struct.unpack(">f", struct.pack(">f", 0.1))[0]), "0.1::FLOAT")
one("a tenth as a decimal", {"decimal": [3, 2]}, Decimal(10, 2), "0.10::DECIMAL(3,2)")
one("two and a half", "DOUBLE", Float(2.5), "2.5::DOUBLE", "25e-1")
one("NaN", "DOUBLE", Float(math.nan), "'nan'::DOUBLE", "NaN")
one("minus NaN", "DOUBLE", {"float": "fff8000000000001"}, "-('nan'::DOUBLE)", same_as="NaN")
one("infinity", "DOUBLE", Float(math.inf), "'inf'::DOUBLE", "Infinity")
one("minus infinity", "DOUBLE", Float(-math.inf), "'-inf'::DOUBLE", "-Infinity")
one("text NaN", "VARCHAR", "NaN", "'NaN'", '"NaN"')

# Decimals.
one("decimal below one", {"decimal": [4, 4]}, Decimal(-351, 4), "'-0.0351'::DECIMAL(4,4)")
one("decimal below one with room", {"decimal": [18, 6]}, Decimal(-35100, 6), "'-0.0351'::DECIMAL(18,6)", same_as="decimal below one")
one("decimal with zeros at its end", {"decimal": [9, 3]}, Decimal(100500, 3), "100.5::DECIMAL(9,3)")
one("integral decimal with zeros", {"decimal": [9, 3]}, Decimal(-1200000, 3), "(-1200)::DECIMAL(9,3)")
one("the same as an integer", "INTEGER", Int(-1200), "(-1200)::INTEGER", "-1.2e3", same_as="integral decimal with zeros")
one("smallest decimal", {"decimal": [38, 38]}, Decimal(1, 38), "'0.%s1'::DECIMAL(38,38)" % ("0" * 37))
one("text of a decimal", "VARCHAR", "100.5", "'100.5'", '"100.5"')

# Text and bytes.
one("empty text", "VARCHAR", "", "''", '""')
one("text with a colon", "VARCHAR", "1:a", "'1:a'", '"1:a"')
one("e acute, composed", "VARCHAR", "\u00e9", "chr(233)", '"\\u00e9"')
one("e acute, combining", "VARCHAR", "e\u0301", "'e' || chr(769)", '"e\\u0301"')
one("text that begins with U+FEFF", "VARCHAR", "\ufeffa", "chr(65279) || 'a'", quoted("\ufeffa"))
one("text a", "VARCHAR", "a", "'a'", '"\\u0061"')
one("text with NUL", "VARCHAR", "a\0b", "'a' || chr(0) || 'b'", '"a\\u0000b"')
one("only NUL", "VARCHAR", "\0", "chr(0)", '"\\u0000"')
one("outside the basic plane", "VARCHAR", "\U0001f600", "chr(128512)", '"\\ud83d\\ude00"')
one("every escape", "VARCHAR", '"\\/\b\f\n\r\t', text('"\\/\b\f\n\r\t'), '"\\"\\\\\\/\\b\\f\\n\\r\\t"')
one("line ends", "VARCHAR", "a\r\nb\u2028c", text("a\r\nb\u2028c"), quoted("a\r\nb\u2028c"))
one("a long text", "VARCHAR", "ab\u00fc" * 1000, "repeat('ab' || chr(252), 1000)", quoted("ab\u00fc" * 1000))
one("empty bytes", "BLOB", {"bytes": ""}, "''::BLOB")
one("bytes", "BLOB", {"bytes": "00ff41"}, "unhex('00ff41')")
one("text of the bytes", "VARCHAR", "00FF41", "'00FF41'", '"00FF41"')
one("UUID", "UUID", "00112233-4455-6677-8899-aabbccddeeff", "'00112233-4455-6677-8899-AABBCCDDEEFF'::UUID", '"00112233-4455-6677-8899-aabbccddeeff"')
one("the UUID as text", "VARCHAR", "00112233-4455-6677-8899-aabbccddeeff", "'00112233-4455-6677-8899-aabbccddeeff'", same_as="UUID")

# Dates and times.
one("the first day", "DATE", {"date": "0"}, "DATE '1970-01-01'")
one("a day before", "DATE", {"date": "-1"}, "DATE '1969-12-31'")
one("a day before our era", "DATE", {"date": "-735160"}, "DATE '0044-03-15 (BC)'")
one("a day as text", "VARCHAR", "1969-12-31", "'1969-12-31'", '"1969-12-31"')
one("midnight", "TIME", {"time": "0"}, "TIME '00:00:00'")
one("a time of day", "TIME", {"time": "3723000001000"}, "TIME '01:02:03.000001'")
one("a time of day in nanoseconds", "TIME_NS", {"time": "3723000001001"}, "'01:02:03.000001001'::TIME_NS")
one("a naive timestamp", "TIMESTAMP", {"timestamp": "1704067200000001000"}, "TIMESTAMP '2024-01-01 00:00:00.000001'")
one("the same in nanoseconds", "TIMESTAMP_NS", {"timestamp": "1704067200000001000"}, "'2024-01-01 00:00:00.000001'::TIMESTAMP_NS", same_as="a naive timestamp")
one("an instant", "TIMESTAMPTZ", {"instant": "1704067200000001000"}, "'2024-01-01 02:00:00.000001+02'::TIMESTAMPTZ")
one("before 1970", "TIMESTAMP", {"timestamp": "-1000"}, "TIMESTAMP '1969-12-31 23:59:59.999999'")
one("past 64 bits of nanoseconds", "TIMESTAMP", {"timestamp": "9223339708800000000000"}, "TIMESTAMP '294246-01-01 00:00:00'")

# Lists.
texts = {"list": "VARCHAR"}
one("empty list", texts, [], "[]::VARCHAR[]", "[]")
one("list of null", texts, [None], "[NULL]::VARCHAR[]", "[null]")
one("list of two nulls of no type", {"list": "NULL"}, [None, None], "[NULL, NULL]", "[null, null]")
one("list of empty text", texts, [""], "['']", '[""]')
one("list ab, c", texts, ["ab", "c"], "['ab', 'c']", '["ab", "c"]')
one("list a, bc", texts, ["a", "bc"], "['a', 'bc']", '["a", "bc"]')
one("list abc", texts, ["abc"], "['abc']", '["abc"]')
one("list that spells an encoding", texts, ["aS1:b"], "['aS1:b']", '["aS1:b"]')
one("list a, b", texts, ["a", "b"], "['a', 'b']", '["a","b"]')
one("list b, a", texts, ["b", "a"], "['b', 'a']", '["b","a"]')
one("list of an empty list", {"list": texts}, [[]], "[[]]::VARCHAR[][]", "[[]]")
one("list of null and lists", {"list": texts}, [None, [], [None]], "[NULL, [], [NULL]]::VARCHAR[][]", "[null,[],[null]]")
one("fixed list", {"list": "INTEGER"}, [Int(1), Int(2)], "[1, 2]::INTEGER[2]", "[1,2]")
one("list with floats", {"list": "DOUBLE"}, [Float(1.0), Float(2.0)], "[1, 2]::DOUBLE[]", "[1.0, 2.0]", same_as="fixed list")
one("list of mixed kinds", "JSON", [Int(2**53 + 1), Float(2.5), "1", True, None, Object()], "'[9007199254740993,2.5,\"1\",true,null,{}]'::JSON", '[9007199254740993,2.5,"1",true,null,{}]')

# Structs, objects and maps.
a1 = {"struct": [{"name": "a", "type": "INTEGER"}]}
a1b1 = {"struct": [{"name": "b", "type": "INTEGER"}, {"name": "a", "type": "INTEGER"}]}
text_map = {"map": {"key": "VARCHAR", "value": "INTEGER"}}
one("empty object", "JSON", Object(), "'{}'::JSON", "{}")
one("struct with null only", a1, Object(("a", None)), "{'a': NULL::INTEGER}", '{"a": null}', same_as="empty object")
one("empty map of text", text_map, Object(), "MAP([], [])::MAP(VARCHAR, INTEGER)", "{}", same_as="empty object")
one("map with a null value", text_map, Object(("a", None)), "MAP {'a': NULL::INTEGER}", '{"a":null}', same_as="empty object")
one("null struct", a1, None, "NULL::STRUCT(a INTEGER)", "null", same_as="no columns")
one("object a", a1, Object(("a", Int(1))), "{'a': 1}", '{"a":1}')
one("object a beside null", a1b1, Object(("b", None), ("a", Int(1))), "{'b': NULL::INTEGER, 'a': 1}", '{"b":null,"a":1}', same_as="object a")
one("map a", text_map, Object(("a", Int(1))), "MAP {'a': 1}", '{"a":1.0}', same_as="object a")
one("JSON a", "JSON", Object(("a", Int(1))), """'{"a":1,"b":null}'::JSON""", '{"b":null,"a":1}', same_as="object a")
one("object b, a", a1b1, Object(("b", Int(1)), ("a", Int(2))), "{'b': 1, 'a': 2}", '{"b":1,"a":2}')
one("map b, a", text_map, Object(("a", Int(2)), ("b", Int(1))), "MAP {'b': 1, 'a': 2}", '{"a":2,"b":1}', same_as="object b, a")
one("object a, b the other way round", a1b1, Object(("b", Int(2)), ("a", Int(1))), "{'b': 2, 'a': 1}", '{"b":2,"a":1}')
one("list of objects and null", {"list": a1}, [Object(("a", Int(1))), None, Object(("a", None))], "[{'a': 1}, NULL, {'a': NULL}]", '[{"a":1},null,{"a":null}]')
one("odd names", {"struct": [{"name": "a.b", "type": "INTEGER"}, {"name": "q\"'", "type": "INTEGER"}, {"name": " ", "type": "VARCHAR"}]}, Object(("a.b", Int(1)), ("q\"'", Int(2)), (" ", "")), "{'a.b': 1, 'q\"''': 2, ' ': ''}", '{"a.b":1,"q\\"\'":2," ":""}')
one("empty name", "JSON", Object(("", Int(1))), """'{"":1}'::JSON""", '{"":1}')
one("name with NUL", "JSON", Object(("a\0", Int(1))), "'{\"a\\u0000\":1}'::JSON", '{"a\\u0000":1}')
wide = [("\uffff", Int(1)), ("\U0001f600", Int(2)), ("\ue000", Int(3)), ("z", Int(4))]
one("names sorted by UTF-8 bytes, not UTF-16 units", {"struct": [{"name": n, "type": "INTEGER"} for n, _ in wide]}, Object(*wide), "{" + ", ".join(f"'{n}': {v['int']}" for n, v in wide) + "}", json.dumps({n: int(v["int"]) for n, v in wide}))
one("the same as a map", text_map, Object(*wide), "MAP {chr(65535): 1, chr(128512): 2, chr(57344): 3, 'z': 4}", json.dumps({n: int(v["int"]) for n, v in reversed(wide)}), same_as="names sorted by UTF-8 bytes, not UTF-16 units")
one("nested", {"list": {"struct": [{"name": "role", "type": "VARCHAR"}, {"name": "calls", "type": {"list": {"struct": [{"name": "args", "type": "JSON"}]}}}]}}, [Object(("role", "user"), ("calls", None)), Object(("role", "tool"), ("calls", [Object(("args", Object(("x", [None, Float(0.5)]))))]))], """[{'role': 'user', 'calls': NULL}, {'role': 'tool', 'calls': [{'args': '{"x":[null,0.5],"y":null}'::JSON}]}]""", '[{"role":"user"},{"calls":[{"args":{"y":null,"x":[null,0.5]}}],"role":"tool"}]')
one("map of integers", {"map": {"key": "INTEGER", "value": "VARCHAR"}}, Map((Int(9), "x"), (Int(10), None)), "MAP {9: 'x', 10: NULL}")
one("empty map of integers", {"map": {"key": "INTEGER", "value": "VARCHAR"}}, Map(), "MAP([], [])::MAP(INTEGER, VARCHAR)")
one("map of dates to maps", {"map": {"key": "DATE", "value": text_map}}, Map(({"date": "2"}, Object(("k", Int(1)))), ({"date": "-2"}, None)), "MAP {DATE '1970-01-03': MAP {'k': 1}, DATE '1969-12-30': NULL}")

# Rows of several columns.
row("columns ab and c", ("x", "VARCHAR", "ab", "'ab'", '"ab"'), ("y", "VARCHAR", "c", "'c'", '"c"'))
row("columns a and bc", ("x", "VARCHAR", "a", "'a'", '"a"'), ("y", "VARCHAR", "bc", "'bc'", '"bc"'))
row("columns in another order", ("y", "VARCHAR", "bc", "'bc'", '"bc"'), ("x", "VARCHAR", "a", "'a'", '"a"'), same_as="columns a and bc")
row("the other column null", ("x", "VARCHAR", "ab", "'ab'", '"ab"'), ("y", "VARCHAR", None, "NULL::VARCHAR", "null"))
row("without the other column", ("x", "VARCHAR", "ab", "'ab'", '"ab"'), same_as="the other column null")
row("the other column empty", ("x", "VARCHAR", "ab", "'ab'", '"ab"'), ("y", "VARCHAR", "", "''", '""'))
row("value under another name", ("y", "VARCHAR", "ab", "'ab'", '"ab"'))
row("reserved and odd names", ("select", "INTEGER", Int(1), "1::INTEGER", "1"), ('q"', "INTEGER", Int(2), "2::INTEGER", "2"), ("a.b", "INTEGER", Int(3), "3::INTEGER", "3"), ("v0", {"list": "INTEGER"}, [Int(4)], "[4]", "[4]"), ("\u00c9", "BOOLEAN", True, "true", "true"))

# JSON texts: canonical text and encoding of the value.
json_texts = []


def json_case(source, canonical, value):
    json_texts.append({"text": source, "canonical": canonical, "encoding": encode(value).decode("utf-8")})


json_case(' { "b" : [ 1 , 2.0 ] , "a" : null }\n', '{"b":[1,2]}', Object(("b", [Int(1), Int(2)])))
json_case("1e2", "100", Int(100))
json_case("123456789012345678901234567890", "123456789012345678901234567890", Int(123456789012345678901234567890))
json_case("1e17", "100000000000000000.0", Float(1e17))
json_case("1e21", "1e+21", Float(1e21))
json_case("1.5e-7", "1.5e-7", Float(1.5e-7))
json_case("-0", "0", Int(0))
json_case("-0.0", "0", Int(0))
json_case("0.1000000000000000055511151231257827", "0.1", Float(0.1))
json_case("[NaN,Infinity,-Infinity]", "[NaN,Infinity,-Infinity]", [Float(math.nan), Float(math.inf), Float(-math.inf)])
json_case('"\\u0041\\n\\u001f\\u007f\\ud83d\\ude00\\/"', '"A\\n\\u001f\x7f\U0001f600/"', "A\n\x1f\x7f\U0001f600/")
json_case('{"\U0001f600":1,"\uffff":2}', '{"\uffff":2,"\U0001f600":1}', Object(("\U0001f600", Int(1)), ("\uffff", Int(2))))
json_case("[" * 64 + "]" * 64, "[" * 64 + "]" * 64, json.loads("[" * 64 + "]" * 64))

refused_json = [
    "", " ", "nul", "tru", "01", "-01", "+1", ".5", "1.", "1e", "1e+", "-", "--1", "0x1F", "1e400", "-1e400", "1" * 39, "-" + "1" * 39,
    "'a'", '"a', '"\\x"', '"\\u12"', '"\\u12g4"', '"\\ud83d"', '"\\ude00"', '"\\ude00\\ud83d"', '"\\ud83dx"', '"\t"', '"\0"',
    "[1,]", "[,1]", "[1 2]", "[1", "[", '{"a":1,}', '{"a" 1}', '{"a"}', "{a:1}", "{", '{"a":1', '{"a":1,"a":1}', '{"a":null,"a":null}',
    '[{"b":{"a":1,"c":2,"a":3}}]', '{"a":1,"\\u0061":2}', "1 2", "{}x", "-NaN", "nan", "inf", "Infinit", "\ufeff1", "\f1", "/**/1", "[" * 65 + "]" * 65,
]


# Trees.
def leaf(digests):
    return sha256(b"\x00" + b"".join(digests))


def tree(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + tree(leaves[:k]) + tree(leaves[k:]))


def table_root(digests):
    return tree([leaf(digests[i : i + 64]) for i in range(0, max(len(digests), 1), 64)])


def trie(entries, depth):
    """Entries are (digest, multiplicity), sorted, alike in their first `depth` bits."""
    if len(entries) <= 64:
        return sha256(b"\x02" + struct.pack(">H", depth) + b"".join(d + struct.pack(">Q", m) for d, m in entries))
    ones = [e for e in entries if e[0][depth // 8] >> (7 - depth % 8) & 1]
    zeros = [e for e in entries if not e[0][depth // 8] >> (7 - depth % 8) & 1]
    return sha256(b"\x03" + struct.pack(">H", depth) + trie(zeros, depth + 1) + trie(ones, depth + 1))


def set_root(digests):
    counts = {}
    for d in digests:
        counts[d] = counts.get(d, 0) + 1
    return trie(sorted(counts.items()), 0)


def ids(digests):
    count = struct.pack(">Q", len(digests))
    ordered, unordered = table_root(digests), set_root(digests)
    return {
        "root": ordered.hex(),
        "table": "holdout-table-v1:" + sha256(b"holdout-table-v1:" + count + ordered).hex(),
        "trieRoot": unordered.hex(),
        "setRoot": "holdout-set-v1:" + sha256(b"holdout-set-v1:" + count + unordered).hex(),
    }


tables = [
    {"rows": n, "distinct": m, **ids([sha256(str(i % m).encode()) for i in range(n)])}
    for n, m in [(0, 1), (1, 1), (2, 2), (2, 1), (63, 63), (64, 64), (65, 65), (65, 64), (127, 127), (128, 128), (129, 129), (192, 192), (193, 70), (1000, 1000), (1000, 3), (4097, 4097)]
]


def schema_case(*columns):
    record = {"type": "holdout/schema@1", "columns": [{"name": n, "type": t} for n, t in columns]}
    canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"schema": record, "canonical": canonical, "id": "sha256:" + sha256(canonical.encode("utf-8")).hex()}


vectors = {
    "description": "Golden vectors of Holdout's identity, version 1 (docs/FORMAT.md). Written by generate.py.",
    "rows": {
        "description": "Each row: its columns (type as in a schema record; value with tags as generate.py explains; SQL for DuckDB; JSON text where JSON can say it), the preimage of its digest as text (UTF-8), the SHA-256 of that in hex. Rows have different digests unless sameAs names another.",
        "cases": rows,
        "table": ids([bytes.fromhex(r["digest"]) for r in rows]),
    },
    "json": {"description": "JSON texts, their canonical text and their encoding.", "cases": json_texts},
    "refusedJson": {"description": "Texts that are refused as a JSON value.", "cases": refused_json},
    "tables": {
        "description": "Row i has as its digest the SHA-256 of the decimal text of (i modulo distinct). The table's tree root and id, and its trie's root and set root.",
        "cases": tables,
    },
    "schemas": {
        "description": "Schema records, their canonical JSON and ids.",
        "cases": [
            schema_case(),
            schema_case(("a", "BIGINT"), ("b", "VARCHAR")),
            schema_case(("b", "VARCHAR"), ("a", "BIGINT")),
            schema_case(("q\"\u00e9\u2028", {"list": {"struct": [{"name": "x", "type": {"decimal": [38, 0]}}, {"name": "m", "type": text_map}]}})),
        ],
    },
}
path = pathlib.Path(__file__).parent / "identity-v1.json"
path.write_text(json.dumps(vectors, indent=1) + "\n")
print(f"{path.name}: {len(rows)} rows, {len(json_texts)} + {len(refused_json)} JSON texts, {len(tables)} tables")
