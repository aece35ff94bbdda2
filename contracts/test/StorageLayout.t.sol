// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RegistryTest} from "./RegistryTest.sol";
import {vm} from "./Vm.sol";

/// @dev Reads raw slots at the places that docs/spec/storage-layout.md names, as a storage proof does.
contract StorageLayoutTest is RegistryTest {
    function test_TheRegistryItself() public {
        vm.assertEq(uint256(_slot(0)), uint160(COUNCIL));
        vm.prank(COUNCIL);
        (bool done,) = address(registry).call(abi.encodeWithSignature("transferOwnership(address)", OTHER));
        vm.assertTrue(done, "transferOwnership");
        vm.assertEq(uint256(_slot(1)), uint160(OTHER));
        vm.assertEq(_slot(2), bytes32(bytes(NAME)) | bytes32(bytes(NAME).length * 2));
        vm.prank(COUNCIL);
        registry.setSuccessor(STRANGER);
        vm.assertEq(uint256(_slot(3)), uint160(STRANGER));
    }

    function test_ALongRegistryName() public {
        registry = _deploy("a-registry-with-a-very-long-name.example", COUNCIL, DELAY);
        vm.assertEq(uint256(_slot(2)), 40 * 2 + 1);
        uint256 data = uint256(keccak256(abi.encode(uint256(2))));
        vm.assertEq(_slot(data), bytes32("a-registry-with-a-very-long-name"));
        vm.assertEq(_slot(data + 1), bytes32(".example"));
    }

    function test_AnIssuer() public {
        (bytes32 bea,) = _admit("bea");
        _anchor(adaLog, 0, 100, 7);
        vm.prank(COUNCIL);
        registry.suspend(ada);
        vm.prank(COUNCIL);
        registry.proposeRecovery(ada, address(0), KEY_EVENT);
        vm.warp(START + DELAY);
        vm.prank(COUNCIL);
        registry.executeRecovery(ada);
        vm.prank(CONTROLLER);
        registry.openEpoch("ada", 1, OPERATOR, KEY_2, 100);

        uint256 base = _member(ada, 4);
        vm.assertEq(_slot(base), IDENTITY);
        uint256 packed = uint160(CONTROLLER); // bits 0-159
        packed |= 2 << 160; // lifecycle: suspended
        packed |= 2 << 168; // epoch
        packed |= 7 << 184; // statement
        packed |= 1 << 216; // suspensions
        packed |= 1 << 232; // keyChains
        vm.assertEq(uint256(_slot(base + 1)), packed);
        vm.assertEq(_slot(base + 2), bytes32(0));
        vm.prank(CONTROLLER);
        registry.close(ada, bea, 0);
        vm.assertEq(_slot(base + 2), bea);
        vm.assertEq((uint256(_slot(base + 1)) >> 160) & 0xff, 3);
    }

    function test_ALog() public {
        _anchor(adaLog, 0, 60, 1);
        _anchor(adaLog, 60, 100, 1);
        vm.prank(CONTROLLER);
        registry.openEpoch("ada", 1, OPERATOR, KEY_2, 123);

        uint256 base = _member(adaLog, 5);
        vm.assertEq(_slot(base), _root(100));
        vm.assertEq(uint256(_slot(base + 1)), uint160(OPERATOR) | (uint256(2) << 160));
        vm.assertEq(_slot(base + 2), KEY);
        vm.assertEq(_slot(base + 3), ada);
        vm.assertEq(uint256(_slot(base + 4)), 123 | (uint256(1) << 64) | (uint256(1) << 80));
        base = _member(registry.logIdOf("ada", 2), 5);
        vm.assertEq(uint256(_slot(base + 4)), uint256(2) << 64);
    }

    function test_AnAnchorInTheHistory() public {
        _anchor(adaLog, 0, 60, 1);
        vm.warp(START + 5);
        vm.roll(1001);
        _anchor(adaLog, 60, 100, 7);
        uint256 expected = 100 | (uint256(1001) << 64) | ((START + 5) << 128) | (uint256(7) << 192);
        vm.assertEq(uint256(_slot(_nested(adaLog, 6, 2))), expected);
        vm.assertEq(uint256(_slot(_nested(adaLog, 6, 3))), 0);
    }

    function test_ASuspension() public {
        _anchor(adaLog, 0, 60, 1);
        vm.prank(COUNCIL);
        registry.suspend(ada);
        uint256 open = 1 | (uint256(60) << 16) | (START << 160);
        vm.assertEq(uint256(_slot(_nested(ada, 7, 0))), open);
        _anchor(adaLog, 60, 100, 1);
        vm.warp(START + 5);
        vm.prank(COUNCIL);
        registry.reinstate(ada);
        uint256 closed = open | (uint256(1) << 80) | (uint256(100) << 96) | ((START + 5) << 208);
        vm.assertEq(uint256(_slot(_nested(ada, 7, 0))), closed);
        vm.assertEq(uint256(_slot(_nested(ada, 7, 1))), 0);
    }

    function test_AKeyChainAndARecovery() public {
        _anchor(adaLog, 0, 60, 1);
        vm.prank(COUNCIL);
        registry.proposeRecovery(ada, OTHER, KEY_EVENT);
        uint256 pending = _member(ada, 9);
        vm.assertEq(uint256(_slot(pending)), uint160(OTHER) | ((START + DELAY) << 160));
        vm.assertEq(_slot(pending + 1), KEY_EVENT);
        vm.warp(START + DELAY);
        vm.prank(COUNCIL);
        registry.executeRecovery(ada);
        vm.assertEq(_slot(pending), bytes32(0));
        vm.assertEq(_slot(pending + 1), bytes32(0));
        uint256 base = _nested(ada, 8, 0);
        vm.assertEq(_slot(base), KEY_EVENT);
        vm.assertEq(uint256(_slot(base + 1)), 1 | (uint256(60) << 16) | ((START + DELAY) << 80));
    }

    function test_OffersDidsAndCurrentLogs() public {
        vm.prank(CONTROLLER);
        registry.transferController(ada, OTHER);
        vm.assertEq(uint256(_slot(_member(ada, 10))), uint160(OTHER));
        vm.assertEq(_slot(_member(sha256("did:web:ada.example"), 11)), ada);
        vm.assertEq(_slot(_member(ada, 12)), adaLog);
    }

    function _slot(uint256 slot) private view returns (bytes32) {
        return vm.load(address(registry), bytes32(slot));
    }

    function _member(bytes32 key, uint256 slot) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(key, slot)));
    }

    function _nested(bytes32 key, uint256 slot, uint256 n) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(n, keccak256(abi.encode(key, slot)))));
    }
}
