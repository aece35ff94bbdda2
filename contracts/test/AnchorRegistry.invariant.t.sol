// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAnchorRegistry} from "../src/IAnchorRegistry.sol";
import {MerkleModel} from "./MerkleModel.sol";
import {RegistryHandler} from "./RegistryHandler.sol";
import {vm} from "./Vm.sol";

contract AnchorRegistryInvariantTest {
    IAnchorRegistry private registry;
    RegistryHandler private handler;

    function setUp() public {
        vm.warp(1_800_000_000);
        bytes memory arguments = abi.encode("registry.example", address(0xc0), uint64(7 days));
        registry = IAnchorRegistry(vm.deployCode("AnchorRegistry.sol:AnchorRegistry", arguments));
        handler = new RegistryHandler(registry);
        // Something to attack from the first call on.
        for (uint256 who = 0; who < 3; ++who) {
            handler.grow(who, who, 1);
        }
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Sizes never fall and a root is only replaced by an extension of itself: at any time a log's root is that
    /// of the first `size` leaves of the one tree that was ever grown for it.
    function invariant_ARootIsThatOfTheLogsOnlyTree() public view {
        uint256 count = handler.logCount();
        for (uint256 i = 0; i < count; ++i) {
            bytes32 logId = handler.logs(i);
            bytes32[] memory leaves = handler.tree(logId);
            vm.assertEq(registry.head(logId).size, leaves.length, "size");
            bytes32 root = leaves.length == 0 ? bytes32(0) : MerkleModel.root(leaves, 0, leaves.length);
            vm.assertEq(registry.log(logId).root, root, "root");
        }
    }

    /// @dev Every anchor is there as it was made, with rising sizes, and there is none besides.
    function invariant_TheHistoryKeepsEveryAnchor() public view {
        uint256 count = handler.logCount();
        for (uint256 i = 0; i < count; ++i) {
            bytes32 logId = handler.logs(i);
            bytes32[] memory made = handler.anchors(logId);
            vm.assertEq(registry.log(logId).sequence, made.length, "sequence");
            uint64 before;
            for (uint64 n = 1; n <= made.length; ++n) {
                IAnchorRegistry.Anchor memory one = registry.history(logId, n);
                bytes32 found = keccak256(abi.encode(one.size, one.blockNumber, one.timestamp, one.statement));
                vm.assertEq(found, made[n - 1], "anchor");
                vm.assertTrue(one.size > before, "sizes rise");
                before = one.size;
            }
            vm.assertEq(registry.history(logId, uint64(made.length) + 1).size, 0, "beyond the head");
        }
    }

    function invariant_ClosedIsForEver() public view {
        RegistryHandler.Model[3] memory models = handler.models();
        for (uint256 i = 0; i < models.length; ++i) {
            IAnchorRegistry.Lifecycle lifecycle = registry.issuer(models[i].issuerId).lifecycle;
            bool closed = lifecycle == IAnchorRegistry.Lifecycle.Closed;
            vm.assertTrue(closed == models[i].closed, "closed");
            if (closed) {
                vm.assertEq(handler.snapshot(models[i].issuerId), models[i].closedAs, "as it was closed");
            } else {
                vm.assertTrue((lifecycle == IAnchorRegistry.Lifecycle.Suspended) == models[i].suspended, "suspended");
            }
        }
    }

    /// @dev Roles, epochs and statements are where the honest calls put them: strangers changed nothing, statements
    /// never fell.
    function invariant_RolesAndStatementsAreThoseOfTheModel() public view {
        RegistryHandler.Model[3] memory models = handler.models();
        for (uint256 i = 0; i < models.length; ++i) {
            IAnchorRegistry.Issuer memory record = registry.issuer(models[i].issuerId);
            vm.assertEq(record.controller, models[i].controller, "controller");
            vm.assertEq(record.epoch, models[i].epoch, "epoch");
            vm.assertEq(record.statement, models[i].statement, "statement");
            bytes32 logId = registry.logIdOf(models[i].slug, models[i].epoch);
            vm.assertEq(registry.currentLog(models[i].issuerId), logId, "current log");
            vm.assertEq(registry.log(logId).operator, models[i].operator, "operator");
            vm.assertFalse(registry.log(logId).superseded, "the current log is not superseded");
        }
        vm.assertEq(registry.successor(), address(0));
    }

    function invariant_SuspensionsAndKeyChainsAreAppendOnly() public view {
        RegistryHandler.Model[3] memory models = handler.models();
        for (uint256 i = 0; i < models.length; ++i) {
            bytes32 id = models[i].issuerId;
            bytes32[] memory suspensions = handler.suspensions(id);
            vm.assertEq(registry.issuer(id).suspensions, suspensions.length, "suspensions");
            for (uint16 n = 0; n < suspensions.length; ++n) {
                vm.assertEq(keccak256(abi.encode(registry.suspension(id, n))), suspensions[n], "suspension");
            }
            bytes32[] memory keyChains = handler.keyChains(id);
            vm.assertEq(registry.issuer(id).keyChains, keyChains.length, "key chains");
            for (uint16 n = 0; n < keyChains.length; ++n) {
                vm.assertEq(keccak256(abi.encode(registry.keyChain(id, n))), keyChains[n], "key chain");
            }
        }
    }

    /// @dev Every action gets past its early returns: without this a handler that does nothing would pass.
    function test_TheHandlerReallyActs() public {
        handler.waitFor(100);
        for (uint256 i = 0; i < 10; ++i) {
            handler.grow(i, 2 * i, 2);
        }
        handler.repeatHead(0, 7, new bytes32[](2));
        handler.rewrite(0, 1, 3, 0);
        handler.rewrite(0, 1, 3, 1);
        handler.fall(0, 1, 0, 0);
        handler.noise(0, 99, 0, 2, new bytes32[](1));
        for (uint256 what = 0; what < 14; ++what) {
            handler.stranger(address(0xbad), 0, what);
        }
        handler.overreach(0, 0, 1);
        handler.raced(0, false, 0, 0);
        handler.raced(1, true, 1, 1);
        handler.nextEpoch(0, false, 3);
        handler.raced(0, true, 3, 1);
        handler.overreach(0, 0, 1);
        handler.suspendOrReinstate(0);
        handler.suspendOrReinstate(0);
        handler.replaceOperator(0);
        handler.moveController(0);
        handler.propose(0, true, "key event");
        handler.vetoOrExecute(0, true);
        handler.propose(0, true, "key event");
        handler.vetoOrExecute(0, false);
        handler.close(0, 1, 0);
        handler.overreach(0, 0, 1);
        string[18] memory names = [
            "grow",
            "repeatHead",
            "nextEpoch",
            "suspendOrReinstate",
            "close",
            "replaceOperator",
            "moveController",
            "propose",
            "veto",
            "execute",
            "waitFor",
            "rewrite",
            "fall",
            "noise",
            "stranger",
            "overreach",
            "racedClosure",
            "racedEpoch"
        ];
        for (uint256 i = 0; i < names.length; ++i) {
            vm.assertGe(handler.calls(bytes32(bytes(names[i]))), 1, names[i]);
        }
        invariant_ARootIsThatOfTheLogsOnlyTree();
        invariant_TheHistoryKeepsEveryAnchor();
        invariant_ClosedIsForEver();
        invariant_RolesAndStatementsAreThoseOfTheModel();
        invariant_SuspensionsAndKeyChainsAreAppendOnly();
    }
}
