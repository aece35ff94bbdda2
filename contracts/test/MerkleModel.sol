// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title RFC 9162 as it is written, slowly: what the contract is held against
library MerkleModel {
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    function leaf(bytes memory entry) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), entry));
    }

    /// @dev MTH(D[start:end]) over leaf hashes, §2.1.1.
    function root(bytes32[] memory leaves, uint256 start, uint256 end) internal pure returns (bytes32) {
        if (end - start == 1) return leaves[start];
        uint256 middle = start + split(end - start);
        return node(root(leaves, start, middle), root(leaves, middle, end));
    }

    /// @dev PROOF(m, D_n), §2.1.4.1.
    function proof(bytes32[] memory leaves, uint256 m, uint256 n) internal pure returns (bytes32[] memory path) {
        bytes32[] memory scratch = new bytes32[](65);
        uint256 length = _subproof(leaves, m, 0, n, true, scratch, 0);
        path = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            path[i] = scratch[i];
        }
    }

    /// @dev SUBPROOF(m, D[start:end], b).
    function _subproof(
        bytes32[] memory leaves,
        uint256 m,
        uint256 start,
        uint256 end,
        bool b,
        bytes32[] memory path,
        uint256 length
    ) private pure returns (uint256) {
        if (m == end - start) {
            if (!b) path[length++] = root(leaves, start, end);
            return length;
        }
        uint256 k = split(end - start);
        if (m <= k) {
            length = _subproof(leaves, m, start, start + k, b, path, length);
            path[length++] = root(leaves, start + k, end);
        } else {
            length = _subproof(leaves, m - k, start + k, end, false, path, length);
            path[length++] = root(leaves, start, start + k);
        }
        return length;
    }

    /// @dev The largest power of two smaller than n.
    function split(uint256 n) internal pure returns (uint256 k) {
        k = 1;
        while (k * 2 < n) k *= 2;
    }

    /// @dev §2.1.4.2 word by word, for 0 < first < second. False where the RFC says fail.
    function isConsistent(bytes32[] memory path, uint256 first, bytes32 firstHash, uint256 second, bytes32 secondHash)
        internal
        pure
        returns (bool)
    {
        if (first == 0 || first >= second) return false;
        // "If consistency_path is an empty array, stop and fail the proof verification."
        if (path.length == 0) return false;
        // 1. "If first is an exact power of 2, then prepend first_hash to the consistency_path array."
        if (first & (first - 1) == 0) {
            bytes32[] memory longer = new bytes32[](path.length + 1);
            longer[0] = firstHash;
            for (uint256 i = 0; i < path.length; ++i) {
                longer[i + 1] = path[i];
            }
            path = longer;
        }
        // 2. "Set fn to first - 1 and sn to second - 1."
        uint256 fn = first - 1;
        uint256 sn = second - 1;
        // 3. "If LSB(fn) is set, then right-shift both fn and sn equally until LSB(fn) is not set."
        while (fn & 1 == 1) {
            fn >>= 1;
            sn >>= 1;
        }
        // 4. "Set both fr and sr to the first value in the consistency_path array."
        bytes32 fr = path[0];
        bytes32 sr = path[0];
        // 5. "For each subsequent value c in the consistency_path array:"
        for (uint256 i = 1; i < path.length; ++i) {
            // "If sn is 0, then stop the iteration and fail the proof verification."
            if (sn == 0) return false;
            // "If LSB(fn) is set, or if fn is equal to sn, then:"
            if (fn & 1 == 1 || fn == sn) {
                fr = node(path[i], fr);
                sr = node(path[i], sr);
                // "If LSB(fn) is not set, then right-shift both fn and sn equally until either LSB(fn) is set or fn
                // is 0."
                while (fn & 1 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                sr = node(sr, path[i]);
            }
            // "Finally, right-shift both fn and sn one time."
            fn >>= 1;
            sn >>= 1;
        }
        // 6. "... verify that the fr calculated is equal to the first_hash supplied, that the sr calculated is equal to
        // the second_hash supplied, and that sn is 0."
        return fr == firstHash && sr == secondHash && sn == 0;
    }
}

/// @title Trees whose leaves are all equal: roots and proofs of any size, because a subtree hash is known per level
library EqualLeaves {
    function levels() internal pure returns (bytes32[] memory complete) {
        complete = new bytes32[](64);
        complete[0] = MerkleModel.leaf("entry");
        for (uint256 i = 1; i < 64; ++i) {
            complete[i] = MerkleModel.node(complete[i - 1], complete[i - 1]);
        }
    }

    function root(bytes32[] memory complete, uint256 size) internal pure returns (bytes32) {
        uint256 level = 0;
        uint256 width = 1;
        while (width * 2 <= size) (width, level) = (width * 2, level + 1);
        if (width == size) return complete[level];
        return MerkleModel.node(complete[level], root(complete, size - width));
    }

    function proof(bytes32[] memory complete, uint256 m, uint256 n) internal pure returns (bytes32[] memory path) {
        bytes32[] memory scratch = new bytes32[](65);
        uint256 length = _subproof(complete, m, n, true, scratch, 0);
        path = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            path[i] = scratch[i];
        }
    }

    function _subproof(bytes32[] memory complete, uint256 m, uint256 n, bool b, bytes32[] memory path, uint256 length)
        private
        pure
        returns (uint256)
    {
        if (m == n) {
            if (!b) path[length++] = root(complete, n);
            return length;
        }
        uint256 k = MerkleModel.split(n);
        if (m <= k) {
            length = _subproof(complete, m, k, b, path, length);
            path[length++] = root(complete, n - k);
        } else {
            length = _subproof(complete, m - k, n - k, false, path, length);
            path[length++] = root(complete, k);
        }
        return length;
    }
}
