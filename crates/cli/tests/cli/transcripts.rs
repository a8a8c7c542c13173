//! What a newcomer sees: calls and their answers, as they stand in `tests/cmd`.

#[test]
fn the_transcripts_are_what_is_said() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd").case("tests/cmd/*.md");
}
