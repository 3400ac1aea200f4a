"""Trees of RFC 9162: known roots, every proof, no false one."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.crypto.merkle import (
    MerkleError,
    Tree,
    leaf_hash,
    node_hash,
    verify_inclusion,
)

#: The eight leaves that implementations of Certificate Transparency test with, and their roots.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
          "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaves(count):
    return [leaf_hash(bytes([i])) for i in range(count)]


def test_known_roots():
    hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]
    assert [Tree(hashes[:size]).root.hex() for size in range(9)] == ROOTS


@given(st.integers(1, 70), st.data())
def test_every_leaf_is_proved_and_no_other(size, data):
    tree = Tree(leaves(size))
    index = data.draw(st.integers(0, size - 1))
    path = tree.inclusion_proof(index)
    verify_inclusion(tree.root, size, index, leaves(size)[index], path)
    wrong = [
        (tree.root, size, index, leaf_hash(b"another"), path),
        (leaf_hash(b"another"), size, index, leaves(size)[index], path),
        (tree.root, size, size, leaves(size)[index], path),
        (tree.root, size, -1, leaves(size)[index], path),
        (tree.root, size, index, leaves(size)[index], [*path, bytes(32)]),
        (tree.root, size, index, leaves(size)[index], [bytes(31), *path]),
    ]
    if path:
        wrong.append((tree.root, size, index, leaves(size)[index], path[:-1]))
        wrong.append((tree.root, size, index, leaves(size)[index], [bytes(32), *path[1:]]))
        other = (index + 1) % size
        wrong.append((tree.root, size, other, leaves(size)[index], path))
    for claim in wrong:
        with pytest.raises(MerkleError):
            verify_inclusion(*claim)


def test_a_leaf_is_no_inner_node():
    left, right = leaves(2)
    assert leaf_hash(left + right) != node_hash(left, right)
    assert Tree([]).root == hashlib.sha256(b"").digest()


def test_malformed_use_is_told():
    with pytest.raises(ValueError, match="32 bytes"):
        Tree([bytes(31)])
    for index in (-1, 3):
        with pytest.raises(IndexError):
            Tree(leaves(3)).inclusion_proof(index)
