// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Which names a registry takes, and the ids made from them
/// @dev A slug cannot contain `/`, so `<registry>/<slug>` and `<registry>/<slug>/<epoch>` never collide within one
/// registry. A character set is a bit mask: bit b stands for byte b.
library Names {
    /// @dev DNS label length: a slug can become a host name, a path segment and a file name everywhere.
    uint256 internal constant MAX_SLUG_BYTES = 63;
    /// @dev Enough for did:key and did:jwk of every key type in use; bounds what an admission writes into an event.
    uint256 internal constant MAX_DID_BYTES = 1024;
    /// @dev The name is part of every checkpoint, id and attestation; 64 bytes hold any sensible host name.
    uint256 internal constant MAX_REGISTRY_NAME_BYTES = 64;

    uint256 private constant DIGITS = 0x3ff << 48; // 0-9
    uint256 private constant LOWER = 0x3ffffff << 97; // a-z
    uint256 private constant UPPER = 0x3ffffff << 65; // A-Z
    uint256 private constant HYPHEN = 1 << 45;
    uint256 private constant DOT = 1 << 46;
    /// @dev The method-specific id of DID Core §3.1: ALPHA DIGIT . - _ : and % for escapes.
    uint256 private constant DID_CHARACTERS = DIGITS | LOWER | UPPER | HYPHEN | DOT | (1 << 95) | (1 << 58) | (1 << 37);

    /// @dev One label: a-z, 0-9 and hyphens that are not at an end.
    function isSlug(string memory slug) internal pure returns (bool) {
        bytes memory text = bytes(slug);
        return text.length <= MAX_SLUG_BYTES && _isLabels(text, false);
    }

    /// @dev The shape only. Whether two spellings mean one DID is a question of its method: the council reads it.
    function isDid(string memory did) internal pure returns (bool) {
        bytes memory text = bytes(did);
        uint256 length = text.length;
        return length > 4 && length <= MAX_DID_BYTES && bytes4(text) == "did:" && _consistsOf(text, DID_CHARACTERS);
    }

    /// @dev A host name: labels joined by dots.
    function isRegistryName(string memory name) internal pure returns (bool) {
        bytes memory text = bytes(name);
        return text.length <= MAX_REGISTRY_NAME_BYTES && _isLabels(text, true);
    }

    /// @notice SHA-256 of `<registry name>/<slug>`.
    function issuerId(string memory registryName, string memory slug) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(registryName, "/", slug));
    }

    /// @notice SHA-256 of `<registry name>/<slug>/<epoch>`.
    function logId(string memory registryName, string memory slug, uint16 epoch) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(registryName, "/", slug, "/", _decimal(epoch)));
    }

    /// @dev OpenZeppelin's Strings needs cancun.
    function _decimal(uint256 value) private pure returns (bytes memory text) {
        text = abi.encodePacked(uint8(48 + value % 10));
        while (value > 9) {
            value /= 10;
            text = abi.encodePacked(uint8(48 + value % 10), text);
        }
    }

    /// @dev Labels of [a-z0-9-] with a letter or digit at both ends; joined by dots, or only one.
    function _isLabels(bytes memory text, bool joined) private pure returns (bool mayEnd) {
        bool started = false;
        for (uint256 i = 0; i < text.length; ++i) {
            bytes1 character = text[i];
            if (_isIn(character, DIGITS | LOWER)) mayEnd = started = true;
            else if (character == "-" && started) mayEnd = false;
            else if (character == "." && joined && mayEnd) mayEnd = started = false;
            else return false;
        }
    }

    function _consistsOf(bytes memory text, uint256 characters) private pure returns (bool) {
        for (uint256 i = 0; i < text.length; ++i) {
            if (!_isIn(text[i], characters)) return false;
        }
        return true;
    }

    function _isIn(bytes1 character, uint256 characters) private pure returns (bool) {
        return (characters >> uint8(character)) & 1 == 1;
    }
}
