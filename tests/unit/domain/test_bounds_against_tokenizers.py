"""Real tokenizers, of each way in which models in use work, taught here: none makes more tokens of
a text than are held back for it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from langroute.domain.estimates import input_bound, token_bound
from langroute.domain.operations import Operation, OperationRequest

_TAUGHT = [
    "The quick brown fox jumps over the lazy dog, 1234567890 times.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
    "敏捷的棕色狐狸跳过了懒狗。 いろはにほへと ちりぬるを",
    "صلى الله عليه وسلم ﷺ और एक परीक्षण",
    "\N{WINKING FACE}\N{FAMILY} code: def f(x): return x + 1\n\n\t{}[]<>",
]
_BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def _byte_level() -> Tokenizer:
    """OpenAI's, Llama's, Qwen's, DeepSeek's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(_TAUGHT, trainer)
    return tokenizer


def _byte_fallback() -> Tokenizer:
    """Gemma's and older ones of Mistral and Llama: what is not known is bytes."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=["<unk>", *_BYTES], show_progress=False
    )
    tokenizer.train_from_iterator(_TAUGHT[:2], trainer)
    return tokenizer


def _composed() -> Tokenizer:
    """Qwen's and Cohere's: bytes, once letters have been put together."""
    tokenizer = _byte_level()
    tokenizer.normalizer = normalizers.NFC()
    return tokenizer


def _of_many_languages() -> Tokenizer:
    """XLM-RoBERTa's, and so those of many models of embeddings: letters are written anew."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    special = ["<s>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(_TAUGHT, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    return tokenizer


def _of_words() -> Tokenizer:
    """BERT's."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(_TAUGHT, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return tokenizer


_CHATS = [_byte_level(), _byte_fallback(), _composed()]
_EMBEDDINGS = [*_CHATS, _of_many_languages(), _of_words()]
_RARE = "\ufdfa\u0958\U0001d15e\u33fe\ufb2c\u0149\u0130\u200d\ufe0f\U000e0067\u0344\U0010ffff"
# Whatever can be said, what takes more room once it is written anew, and emoji in one piece.
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text(st.sampled_from(_RARE))


def _count(tokenizer: Tokenizer, text: str) -> int:
    return len(tokenizer.encode(text).ids)


@pytest.mark.parametrize("tokenizer", _CHATS, ids=["bytes", "fallback", "composed"])
@given(text=TEXTS)
def test_a_chat_has_no_more_tokens_than_are_held_back(tokenizer: Tokenizer, text: str) -> None:
    assert _count(tokenizer, text) <= token_bound(text)
    told = f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
    for mark in ("<|im_start|>", "<|im_end|>"):
        told = told.replace(mark, "\x00")  # each of which is one token
    message = {"role": "user", "content": text}
    assert _count(tokenizer, told) <= input_bound({"messages": [message]})


_SHORT = st.text('aä\n"', max_size=1)
SCHEMAS = st.dictionaries(_SHORT, st.integers(0, 9) | st.lists(_SHORT, max_size=9), max_size=4)


@pytest.mark.parametrize("tokenizer", _CHATS, ids=["bytes", "fallback", "composed"])
@given(schema=SCHEMAS)
def test_a_schema_has_no_more_tokens_than_are_held_back_with_its_quotes_and_commas(
    tokenizer: Tokenizer, schema: dict[str, object]
) -> None:
    """It may be nothing but those: a thousand names of one letter each."""
    nothing = input_bound({"messages": []})
    for body in ({"functions": [schema]}, {"text": {"format": schema}}):
        written = json.dumps(schema, ensure_ascii=False)
        assert _count(tokenizer, written) <= input_bound({"messages": [], **body}) - nothing


def _embedded(text: str) -> int:
    body = {"model": "m", "input": text}
    return OperationRequest.parse(Operation.EMBEDDINGS, body).input_bound


@pytest.mark.parametrize(
    "tokenizer", _EMBEDDINGS, ids=["bytes", "fallback", "composed", "languages", "words"]
)
@given(text=TEXTS)
def test_embeddings_have_no_more_tokens_than_are_held_back(tokenizer: Tokenizer, text: str) -> None:
    assert _count(tokenizer, text) <= _embedded(text)


@pytest.mark.parametrize(
    ("text", "least"), [("\ufdfa", 18), ("a", 3)], ids=["one letter that is 18", "what is around"]
)
def test_the_bound_is_needed(text: str, least: int) -> None:
    """Without what is added to bytes, it would be passed."""
    most = max(_count(tokenizer, text) for tokenizer in _EMBEDDINGS)
    assert most >= least
    assert most > len(text.encode())
