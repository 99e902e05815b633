/* What the context models stand on: the past, match models, slots, and the two context lists. */
#include "ngram/context.h"
#include "ngram/match.h"
#include "ngram/slot.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static nz_past after_bytes(const uint8_t *raw, size_t n)
{
    nz_past p;
    cr_assert_eq(nz_past_new(&p, raw), 0);
    for (size_t i = 0; i < n; i++)
        nz_past_next(&p, raw[i]);
    return p;
}

static nz_past after(const char *text)
{
    return after_bytes((const uint8_t *)text, strlen(text));
}

Test(past, bytes_are_kept_latest_lowest)
{
    nz_past p = after("abcdefghijklm");
    cr_assert_eq(p.c4, 0x6a6b6c6d);
    cr_assert_eq(p.c8, 0x66676869);
    cr_assert_eq(p.c12, 0x62636465);
    cr_assert_eq(nz_past_at(&p, 1), 'm');
    cr_assert_eq(nz_past_at(&p, 13), 'a');
    cr_assert_eq(nz_past_at(&p, 14), 0);
    nz_past_free(&p);
}

Test(past, words_ignore_case_and_remember_it)
{
    nz_past p = after("Hello wORLD heLLo "), q = after("hello world hello ");
    for (int i = 0; i < NZ_WORDS; i++)
        cr_assert_eq(p.word[i], q.word[i]);
    cr_assert_eq(p.word[1], p.word[3]);
    cr_assert_neq(p.word[1], p.word[2]);
    cr_assert_eq(p.word[0], 0u);
    cr_assert_neq(p.capitals, q.capitals);
    cr_assert_eq(p.follows, p.word[2], "the word after hello was world");
    nz_past_free(&p);
    nz_past_free(&q);
}

Test(past, a_chinese_character_is_a_word)
{
    nz_past p = after("\u6c34\u6d52"), q = after("\u6d52");
    cr_assert_eq(p.word[0], q.word[0]);
    cr_assert_neq(p.word[1], 0u);
    nz_past_free(&p);
    nz_past_free(&q);
    p = after("d\xe9j\xe0 vu, no\xebl");
    cr_assert_eq(p.word_len, 4u, "in Latin-1 the same bytes are letters");
    nz_past_free(&p);
}

Test(past, words_end_at_typographic_signs)
{
    nz_past p = after("\u201cword\u201d"), q = after("word ");
    cr_assert_eq(p.word[1], q.word[1]);
    nz_past_free(&p);
    nz_past_free(&q);
}

Test(past, cyrillic_has_no_case)
{
    nz_past p = after("\u041c\u0410\u0420\u0421"), q = after("\u043c\u0430\u0440\u0441");
    cr_assert_eq(p.word[0], q.word[0]);
    nz_past_free(&p);
    nz_past_free(&q);
}

Test(past, lines_and_the_one_above)
{
    nz_past p = after("first line\nsecond\nth");
    cr_assert_eq(nz_past_column(&p), 2u);
    cr_assert_eq(nz_past_above(&p, 1, 2), 'c');
    cr_assert_eq(nz_past_above(&p, 1, 3), 'o');
    cr_assert_eq(nz_past_above(&p, 1, 7), 0u, "past the end of the line above");
    cr_assert_eq(p.line_first, 't');
    cr_assert_eq(p.alike, 0u);
    nz_past_free(&p);
    p = after("long\nsame start\n\nsame\nsame sta");
    cr_assert_eq(p.alike, 4u);
    cr_assert_eq(p.paragraph, 17u);
    cr_assert_eq(nz_past_above(&p, 3, 2), 'm');
    nz_past_free(&p);
}

Test(past, nesting_opens_and_closes)
{
    nz_past p = after("a [b {c (d");
    cr_assert_eq(p.depth, 3u);
    cr_assert_eq(nz_past_top(&p, 0), '(');
    cr_assert_eq(nz_past_top(&p, 2), '[');
    cr_assert_eq(nz_past_top(&p, 3), 0u);
    nz_past_free(&p);
    p = after("a [b {c (d] ) }");
    cr_assert_eq(p.depth, 0u, "an outer bracket closes what is inside; strays change nothing");
    nz_past_free(&p);
    p = after("a (b, c [d e");
    cr_assert_eq(nz_past_nest(&p).part, 1u);
    cr_assert_eq(p.nest[0].part, 3u);
    nz_past_free(&p);
    char deep[500];
    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    p = after(deep);
    cr_assert_eq(p.depth, (uint32_t)NZ_NEST_MAX);
    nz_past_free(&p);
}

Test(phrase, blanks_and_line_ends_join_words)
{
    nz_past p = after("over the hills and far"), q = after("Over the\nhills and\nfar");
    cr_assert_arr_eq(p.phrase.joined, q.phrase.joined, sizeof p.phrase.joined);
    cr_assert_eq(p.phrase.letters, q.phrase.letters);
    nz_past_free(&p);
    nz_past_free(&q);
    p = after("over, the");
    cr_assert_neq(p.phrase.joined[0], 0u);
    cr_assert_eq(p.phrase.joined[1], 0u, "a comma does not");
    nz_past_free(&p);
}

Test(phrase, words_have_an_age)
{
    nz_past p = after("size = 1; size"), q = after("size = 1; siz");
    cr_assert_eq(nz_phrase_age(&p.phrase, p.pos), 4u, "ten bytes");
    cr_assert_eq(nz_phrase_age(&q.phrase, q.pos), 0u);
    nz_past_free(&p);
    nz_past_free(&q);
}

Test(phrase, a_sentence_starts_afresh)
{
    nz_past p = after("One here. Two there, three"), q = after("Two there, three");
    cr_assert_arr_eq(p.phrase.word, q.phrase.word, sizeof p.phrase.word);
    cr_assert_neq(p.phrase.word[2], 0u);
    cr_assert_eq(p.phrase.word[3], 0u);
    cr_assert_eq(p.phrase.sentence, 9u);
    cr_assert_eq(p.phrase.gap, 0u);
    cr_assert_eq(p.phrase.last_gap, q.phrase.last_gap);
    nz_past_free(&q);
    q = after("Two there three");
    cr_assert_neq(p.phrase.last_gap, q.phrase.last_gap, "a comma and a blank, not a blank");
    nz_past_free(&p);
    nz_past_free(&q);
}

Test(follow, words_gaps_and_letters_remember)
{
    nz_past p = after("as The cat; as the cat"), q = after("as the cat, as the ");
    cr_assert_eq(nz_follow_of(&p.follow, NZ_FOLLOW_TOKEN), ';');
    cr_assert_eq(nz_follow_of(&p.follow, NZ_FOLLOW_WORDS), ';');
    cr_assert_eq(nz_follow_of(&p.follow, NZ_FOLLOW_LETTERS), ' ' << 8 | 'a', "gaps are none");
    cr_assert_eq(nz_follow_of(&q.follow, NZ_FOLLOW_TOKEN), 'c' << 8 | 't', "after a blank");
    cr_assert_eq(nz_follow_of(&q.follow, NZ_FOLLOW_WORDS), 'c');
    nz_past_free(&p);
    nz_past_free(&q);
}

Test(spelling, words_and_gaps_are_spelled)
{
    nz_past p = after("a Baker"), q = after("a baker, ");
    cr_assert_eq(p.spelling.kinds, 0x12131u);
    cr_assert_eq(q.spelling.kinds, 0xb8u);
    nz_past_free(&p);
    nz_past_free(&q);
}

Test(outline, names_and_numbers_are_all_the_same)
{
    nz_past p = after("{\n\tint size = f(1, x);\n"), q = after("{\n\tchar c = get(what, 20);\n");
    cr_assert_eq(p.outline.signs, q.outline.signs);
    cr_assert_neq(p.outline.above_first, q.outline.above_first);
    nz_past_free(&p);
    nz_past_free(&q);
    p = after("    x = (a"), q = after("\ty = (b");
    cr_assert_eq(p.outline.line_signs, q.outline.line_signs);
    cr_assert_eq(p.outline.indent, 4u);
    cr_assert_eq(q.outline.indent, 8u);
    nz_past_free(&p);
    nz_past_free(&q);
}

Test(cells, know_the_one_above)
{
    nz_past p = after("red,10,x\nblue,200,y\ngreen,20");
    cr_assert_eq(memcmp(p.raw + p.cells.above.at, "200,", 4), 0);
    cr_assert_eq(p.cells.same, 2u);
    cr_assert_eq(p.cells.from, p.pos - 2);
    uint32_t column = p.cells.id;
    nz_past_free(&p);
    p = after("a,b\n1,2");
    cr_assert_eq(p.cells.id, column, "the second column again");
    nz_past_free(&p);
    p = after("{\"name\": \"Ann\", \"age\": 31}, {\"name\": \"");
    cr_assert_eq(memcmp(p.raw + p.cells.above.at, " \"Ann", 5), 0);
    nz_past_free(&p);
}

Test(cells, tables_are_told_from_prose)
{
    nz_past p = after("a;b;c\n1;2;3\n4;5;6\n7;8;9\n1;2;3\n");
    cr_assert(nz_cells_table(&p.cells));
    nz_past_free(&p);
    p = after("It was late, and dark; the lamp, so old\nthat, at last, it failed, went out.\n"
              "She sat, and thought of the sea, of ships,\nand of him, who, long ago, had left.\n");
    cr_assert(!nz_cells_table(&p.cells));
    nz_past_free(&p);
}

Test(texture, tells_kinds_of_bytes_apart)
{
    nz_past p = after("it is. (So");
    cr_assert_eq(p.texture.kinds, 0x5d6c5u);
    cr_assert_eq(p.texture.blanks, 0b0010001000u);
    cr_assert(p.texture.pause, "the words in front of it ended with a stop");
    nz_past_free(&p);
    p = after("it is. So well");
    cr_assert(!p.texture.pause);
    cr_assert_eq(p.last_initial, (uint32_t)'s');
    nz_past_free(&p);
}

Test(past, records_are_found)
{
    char text[41 * 60 + 1];
    for (int i = 0; i < 41 * 60; i++)
        text[i] = (char)(i % 41 == 0 ? 1 + i / 41 : i % 41 + 64);
    text[41 * 60] = 0;
    nz_past p = after(text);
    cr_assert_eq(p.period, 41u);
    nz_past_free(&p);
}

Test(past, zeros_and_bytes_like_those_above_are_marked)
{
    static const uint8_t raw[] = {1, 0, 2, 0, 1, 3, 2, 0, 1, 0, 2, 0};
    nz_past p = after_bytes(raw, sizeof raw);
    cr_assert_eq(p.period, 4u);
    cr_assert_eq(p.zeros, 0x515u);
    cr_assert_eq(p.same & 0xff, 0xbbu);
    cr_assert_eq(p.same4, p.same);
    nz_past_free(&p);
}

static nz_match match_after(const char *text)
{
    nz_match m;
    cr_assert_eq(nz_match_new(&m, 12, 7), 0);
    for (uint32_t i = 1; i <= strlen(text); i++)
        nz_match_next(&m, (const uint8_t *)text, i);
    return m;
}

Test(match, expects_what_followed)
{
    const char *text = "the quick brown fox; the quick brown ";
    nz_match m = match_after(text);
    cr_assert_eq(m.expect, 'f');
    cr_assert_geq(m.len, 16u);
    cr_assert_eq(m.miss, 0u);
    cr_assert_eq(nz_match_bit('f', 1, 0), 1u, "first bit of f is 0");
    cr_assert_eq(nz_match_bit('f', 2, 1), 2u, "second is 1");
    cr_assert_eq(nz_match_bit('f', 3, 1), 0u, "the bits so far disagree");
    cr_assert_eq(nz_match_bit(-1, 1, 0), 0u);
    nz_match_free(&m);
}

Test(match, keeps_its_place_over_a_small_edit)
{
    const char *text = "a start of 16 b. 0123456789abcdefghij--0123456789abXdefg";
    nz_match m = match_after(text);
    cr_assert_eq(m.expect, 'h');
    cr_assert_eq(m.miss, 1u);
    nz_match_free(&m);
}

Test(match, buckets_grow_with_the_length)
{
    uint32_t before = 0;
    for (uint32_t n = 0; n < 70000; n++) {
        uint32_t b = nz_match_bucket(n);
        cr_assert(b >= before && b < NZ_MATCH_LENGTHS, "%u", n);
        before = b;
    }
}

Test(slot, is_found_again_and_the_least_used_goes)
{
    const nz_history *h = nz_history_get();
    nz_bucket table = {0};
    nz_slot *slot[NZ_BUCKET_SLOTS];
    for (uint64_t i = 0; i < NZ_BUCKET_SLOTS; i++) {
        slot[i] = nz_slot_find(&table, 0, (i + 1) << 49, 0, h);
        for (uint64_t j = 0; j <= i; j++)
            cr_assert_eq(nz_slot_find(&table, 0, (j + 1) << 49, 0, h), slot[j]);
        slot[i]->state[0] = h->next[1][i == 1 ? 0 : h->next[1][0]];
    }
    nz_slot *other = nz_slot_find(&table, 0, UINT64_C(9) << 49, 0, h);
    cr_assert_eq(other, slot[1], "the least used one makes room");
    cr_assert_eq(nz_slot_find(&table, 0, UINT64_C(1) << 49, 0, h), slot[0]);
    cr_assert_neq(nz_slot_find(&table, 0, UINT64_C(1) << 49, 1, h), slot[0],
                  "the last bit is part of the name");
}

Test(context, lists_are_as_long_as_they_say_and_all_different)
{
    nz_past p = after("<page> [[Some text]] with \"words\" and, numbers 12345\n| row\n| ro");
    const nz_contexts *const kinds[] = {&nz_contexts_text, &nz_contexts_binary, &nz_contexts_code,
                                        &nz_contexts_arm64};
    for (int kind = 0; kind < 4; kind++) {
        const nz_contexts *contexts = kinds[kind];
        for (int tier = 0; tier < 3; tier++) {
            uint64_t h[NZ_CONTEXTS_MAX + 1];
            uint32_t direct[NZ_ROWS_DIRECT], rows[NZ_ROWS_HASHED + 1];
            static const uint32_t most[NZ_ROWS_DIRECT] = NZ_ROWS_DIRECT_EACH;
            nz_context_list list = contexts->lists[tier];
            cr_assert(list.slots <= NZ_CONTEXTS_MAX && list.hashed <= NZ_ROWS_HASHED);
            h[list.slots] = 0xa5a5;
            rows[list.hashed] = 0xa5a5;
            contexts->slots(h, &p, tier);
            nz_contexts_net(direct, rows, &p, contexts, tier, 7 << 8 | 255);
            cr_assert_eq(h[list.slots], 0xa5a5);
            cr_assert_eq(rows[list.hashed], 0xa5a5);
            for (unsigned i = 0; i < NZ_ROWS_DIRECT; i++)
                cr_assert_lt(direct[i], most[i]);
            for (unsigned i = 0; i < list.slots; i++)
                for (unsigned j = 0; j < i; j++)
                    cr_assert_neq(h[i], h[j], "kind %d tier %d: %u and %u", kind, tier, i, j);
        }
    }
    nz_past_free(&p);
}
