// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAnchorRegistry} from "../src/IAnchorRegistry.sol";
import {EqualLeaves} from "./MerkleModel.sol";
import {vm} from "./Vm.sol";

interface IOwned {
    function owner() external view returns (address);
    function pendingOwner() external view returns (address);
    function transferOwnership(address newOwner) external;
    function acceptOwnership() external;
    function renounceOwnership() external;
}

/// @dev A registry with one issuer, `ada`, whose log is empty; one account per role and a stranger. Trees have equal
/// leaves, so a head is known by its size.
abstract contract RegistryTest {
    string internal constant NAME = "registry.example";
    uint64 internal constant DELAY = 7 days;
    uint256 internal constant START = 1_800_000_000;
    bytes32 internal constant IDENTITY = keccak256("admission document");
    bytes32 internal constant KEY = keccak256("ada/1 verifier key");
    bytes32 internal constant KEY_2 = keccak256("ada/2 verifier key");
    bytes32 internal constant KEY_EVENT = keccak256("first event of another key chain");

    address internal constant COUNCIL = address(0xc0);
    address internal constant CONTROLLER = address(0xc1);
    address internal constant OPERATOR = address(0xc2);
    address internal constant STRANGER = address(0xbad);
    address internal constant OTHER = address(0xc3);

    IAnchorRegistry internal registry;
    bytes32 internal ada;
    bytes32 internal adaLog;
    bytes32[] internal complete = EqualLeaves.levels();

    function setUp() public virtual {
        vm.warp(START);
        vm.roll(1000);
        registry = _deploy(NAME, COUNCIL, DELAY);
        (ada, adaLog) = _admit("ada");
    }

    function _deploy(string memory name, address council, uint64 delay) internal returns (IAnchorRegistry) {
        return IAnchorRegistry(vm.deployCode("AnchorRegistry.sol:AnchorRegistry", abi.encode(name, council, delay)));
    }

    function _admit(string memory slug) internal returns (bytes32 issuerId, bytes32 logId) {
        vm.prank(COUNCIL);
        registry.admit(slug, string.concat("did:web:", slug, ".example"), IDENTITY, CONTROLLER, OPERATOR, KEY);
        return (registry.issuerIdOf(slug), registry.logIdOf(slug, 1));
    }

    function _root(uint64 size) internal view returns (bytes32) {
        return EqualLeaves.root(complete, size);
    }

    function _proof(uint64 oldSize, uint64 size) internal view returns (bytes32[] memory) {
        return oldSize == 0 ? new bytes32[](0) : EqualLeaves.proof(complete, oldSize, size);
    }

    function _anchor(bytes32 logId, uint64 oldSize, uint64 size, uint32 statement) internal {
        bytes32 root = _root(size);
        bytes32[] memory proof = _proof(oldSize, size);
        vm.prank(OPERATOR);
        registry.anchor(logId, oldSize, size, root, statement, proof);
    }

    function _expectRefusedAnchor(
        bytes memory error_,
        bytes32 logId,
        uint64 oldSize,
        uint64 size,
        bytes32 root,
        uint32 statement
    ) internal {
        bytes32[] memory proof = oldSize < size ? _proof(oldSize, size) : new bytes32[](0);
        vm.prank(OPERATOR);
        vm.expectRevert(error_);
        registry.anchor(logId, oldSize, size, root, statement, proof);
    }

    function _unauthorized(address account) internal pure returns (bytes memory) {
        return abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", account);
    }
}
