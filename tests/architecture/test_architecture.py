"""The rules of docs/ARCHITECTURE.md, on this project."""

import pytest
import rules
import secrets_and_places
import tree


@pytest.fixture(scope="module")
def texts():
    return tree.files()


@pytest.fixture(scope="module")
def table(texts):
    return tree.include_table(texts["docs/ARCHITECTURE.md"])


def none_of(wrong: list) -> None:
    assert not wrong, "\n" + "\n".join(wrong)


def test_there_is_something_to_check(texts, table):
    assert len(rules.code(texts)) > 50
    assert {"src/base", "src/kafka", "src/ctl", "cmd"} <= set(table)


def test_folders_include_only_what_their_row_names(texts, table):
    none_of(rules.forbidden_includes(texts, table))


def test_folders_link_only_what_their_row_names(texts, table):
    none_of(rules.forbidden_links(texts, table))


def test_every_folder_has_a_row(texts, table):
    none_of(rules.missing_rows(texts, table))


def test_the_table_names_only_what_exists(table):
    none_of(rules.unknown_words(table))


def test_the_table_has_no_circle(table):
    none_of(rules.table_circles(table))


def test_no_file_includes_itself_through_others(texts):
    none_of(rules.include_circles(texts))


def test_no_file_is_too_long(texts):
    none_of(rules.long_files(texts))


def test_names(texts):
    none_of(rules.bad_names(texts))


def test_headers_say_what_they_are_for(texts):
    none_of(rules.silent_headers(texts))


def test_classes_say_which_threads_may_use_them(texts):
    none_of(rules.threads_unsaid(texts))


def test_threads_are_started_where_they_are_looked_for(texts):
    none_of(rules.stray_threads(texts))


def test_nothing_in_src_is_there_for_tests(texts):
    none_of(rules.test_hooks(texts))


def test_nothing_is_left_for_later(texts):
    none_of(rules.unfinished(texts))


def test_every_migration_has_a_way_back(texts):
    none_of(rules.migrations_without_way_back(list(texts)))


def test_no_key_or_certificate_is_in_git(texts):
    none_of(secrets_and_places.key_files(texts))


def test_no_machines_path_is_in_git(texts):
    none_of(secrets_and_places.machine_paths(texts))


def test_no_unknown_host_is_in_git(texts):
    none_of(secrets_and_places.unknown_hosts(texts))


def test_links_between_pages_lead_somewhere(texts):
    none_of(rules.broken_links(texts))


def test_pages_name_only_tests_that_exist(texts):
    none_of(rules.tests_that_are_none(texts))
