// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAnchorRegistry} from "../src/IAnchorRegistry.sol";
import {IAnchorRegistryErrors as E} from "../src/IAnchorRegistryErrors.sol";
import {IAnchorRegistryEvents as Ev} from "../src/IAnchorRegistryEvents.sol";
import {IOwned, RegistryTest} from "./RegistryTest.sol";
import {vm} from "./Vm.sol";

contract AdmissionTest is RegistryTest {
    // --- deployment ------------------------------------------------------------------------------------------------

    function test_ARegistryKnowsItsNameCouncilDelayAndVersion() public view {
        vm.assertEq(registry.registryName(), NAME);
        vm.assertEq(IOwned(address(registry)).owner(), COUNCIL);
        vm.assertEq(registry.recoveryDelay(), DELAY);
        vm.assertEq(registry.version(), 1);
        vm.assertEq(registry.successor(), address(0));
    }

    function test_RevertWhen_TheRegistryNameCannotStartAnOrigin() public {
        string[13] memory bad = [
            "",
            ".",
            "registry.",
            ".example",
            "registry..example",
            "registry-.example",
            "registry.-example",
            "-registry.example",
            "Registry.example",
            "registry example",
            "registry+example",
            "registry/example",
            "registry\nexample"
        ];
        for (uint256 i = 0; i < bad.length; ++i) {
            _expectBadName(bad[i]);
        }
        _expectBadName(unicode"régistre.example");
        _expectBadName(_repeated("r", 65));
        string[5] memory good = ["r", "7", "registry.example", "a--b.c-d.e", _repeated("r", 64)];
        for (uint256 i = 0; i < good.length; ++i) {
            vm.assertEq(_deploy(good[i], COUNCIL, DELAY).registryName(), good[i]);
        }
    }

    function test_RevertWhen_TheRecoveryDelayIsNoneOrEndless() public {
        bytes memory zero = abi.encodeWithSelector(E.RecoveryDelayOutOfRange.selector, 0, 1, 365 days);
        vm.expectRevert(zero);
        this.deploy(NAME, COUNCIL, 0);
        vm.expectRevert(abi.encodeWithSelector(E.RecoveryDelayOutOfRange.selector, 365 days + 1, 1, 365 days));
        this.deploy(NAME, COUNCIL, 365 days + 1);
        vm.expectRevert(abi.encodeWithSelector(E.RecoveryDelayOutOfRange.selector, type(uint64).max, 1, 365 days));
        this.deploy(NAME, COUNCIL, type(uint64).max);
        _deploy(NAME, COUNCIL, 1);
        _deploy(NAME, COUNCIL, 365 days);
    }

    function test_RevertWhen_ThereIsNoCouncil() public {
        vm.expectRevert(abi.encodeWithSignature("OwnableInvalidOwner(address)", address(0)));
        this.deploy(NAME, address(0), DELAY);
    }

    function test_RevertWhen_TheChainHasNoSha256() public {
        vm.mockCall(address(2), "", "");
        vm.expectRevert(E.Sha256Failed.selector);
        this.deploy(NAME, COUNCIL, DELAY);
    }

    function test_RevertWhen_TheChainsSha256IsAnotherFunction() public {
        vm.mockCall(address(2), "", abi.encode(keccak256("not SHA-256")));
        vm.expectRevert(E.Sha256Failed.selector);
        this.deploy(NAME, COUNCIL, DELAY);
    }

    function deploy(string memory name, address council, uint64 delay) external {
        _deploy(name, council, delay);
    }

    // --- ids -------------------------------------------------------------------------------------------------------

    function test_IdsAreSha256OfTheOriginAsText() public view {
        vm.assertEq(registry.issuerIdOf("ada"), sha256("registry.example/ada"));
        vm.assertEq(registry.logIdOf("ada", 0), sha256("registry.example/ada/0"));
        vm.assertEq(registry.logIdOf("ada", 1), sha256("registry.example/ada/1"));
        vm.assertEq(registry.logIdOf("ada", 9), sha256("registry.example/ada/9"));
        vm.assertEq(registry.logIdOf("ada", 10), sha256("registry.example/ada/10"));
        vm.assertEq(registry.logIdOf("ada", 907), sha256("registry.example/ada/907"));
        vm.assertEq(registry.logIdOf("registry", 65535), sha256("registry.example/registry/65535"));
    }

    // --- admission -------------------------------------------------------------------------------------------------

    function test_AdmissionOpensTheFirstEpoch() public {
        bytes32 bea = sha256("registry.example/bea");
        bytes32 beaLog = sha256("registry.example/bea/1");
        vm.prank(COUNCIL);
        vm.expectEmit(address(registry));
        emit Ev.IssuerAdmitted(bea, "bea", "did:web:bea.example", IDENTITY, CONTROLLER);
        vm.expectEmit(address(registry));
        emit Ev.LogOpened(beaLog, bea, 1, OPERATOR, KEY);
        registry.admit("bea", "did:web:bea.example", IDENTITY, CONTROLLER, OPERATOR, KEY);

        IAnchorRegistry.Issuer memory record = registry.issuer(bea);
        vm.assertEq(record.identity, IDENTITY);
        vm.assertEq(record.controller, CONTROLLER);
        vm.assertTrue(record.lifecycle == IAnchorRegistry.Lifecycle.Active, "active");
        vm.assertEq(record.epoch, 1);
        vm.assertEq(record.statement, 0);
        vm.assertEq(record.suspensions, 0);
        vm.assertEq(record.keyChains, 0);
        vm.assertEq(record.custodian, bytes32(0));
        IAnchorRegistry.Log memory opened = registry.log(beaLog);
        vm.assertEq(opened.root, bytes32(0));
        vm.assertEq(opened.operator, OPERATOR);
        vm.assertEq(opened.sequence, 0);
        vm.assertEq(opened.key, KEY);
        vm.assertEq(opened.issuerId, bea);
        vm.assertEq(opened.goodSize, 0);
        vm.assertEq(opened.epoch, 1);
        vm.assertFalse(opened.superseded, "superseded");
        vm.assertEq(registry.issuerOf("did:web:bea.example"), bea);
        vm.assertEq(registry.currentLog(bea), beaLog);
    }

    function test_UnknownIdsGiveZeros() public view {
        bytes32 unknown = sha256("registry.example/nobody");
        vm.assertTrue(registry.issuer(unknown).lifecycle == IAnchorRegistry.Lifecycle.None, "none");
        vm.assertEq(registry.log(unknown).operator, address(0));
        vm.assertEq(registry.head(unknown).size, 0);
        vm.assertEq(registry.issuerOf("did:web:nobody.example"), bytes32(0));
        vm.assertEq(registry.currentLog(unknown), bytes32(0));
    }

    function testFuzz_RevertWhen_AnybodyButTheCouncilAdmits(address caller) public {
        vm.assume(caller != COUNCIL);
        vm.prank(caller);
        vm.expectRevert(_unauthorized(caller));
        registry.admit("bea", "did:web:bea.example", IDENTITY, CONTROLLER, OPERATOR, KEY);
    }

    function test_RevertWhen_TheSlugIsTaken() public {
        _expectRefusal(abi.encodeWithSelector(E.IssuerExists.selector, ada), "ada", "did:web:other.example");
        vm.prank(COUNCIL);
        registry.close(ada, 0, 0);
        _expectRefusal(abi.encodeWithSelector(E.IssuerExists.selector, ada), "ada", "did:web:other.example");
    }

    function test_RevertWhen_TheDidIsTaken() public {
        _expectRefusal(abi.encodeWithSelector(E.DidTaken.selector, ada), "bea", "did:web:ada.example");
        vm.prank(COUNCIL);
        registry.close(ada, 0, 0);
        _expectRefusal(abi.encodeWithSelector(E.DidTaken.selector, ada), "bea", "did:web:ada.example");
    }

    function test_RevertWhen_TheSlugIsNotOne() public {
        string[12] memory bad = [
            "",
            "-",
            "-ada",
            "ada-",
            "Ada",
            "ada/1",
            "ada.example",
            "ada example",
            unicode"adá",
            "ada_1",
            "ada\x00",
            "ada\n"
        ];
        for (uint256 i = 0; i < bad.length; ++i) {
            _expectRefusal(abi.encodeWithSelector(E.BadSlug.selector, bad[i]), bad[i], "did:web:bea.example");
        }
        string memory long_ = _repeated("a", 64);
        _expectRefusal(abi.encodeWithSelector(E.BadSlug.selector, long_), long_, "did:web:bea.example");
    }

    function test_SlugsOfEveryAllowedShapeAreAdmitted() public {
        string[7] memory good = ["a", "7", "registry", "a-b", "a--b", "0x1", "zz-99"];
        for (uint256 i = 0; i < good.length; ++i) {
            _admit(good[i]);
        }
        _admit(_repeated("a", 63));
    }

    function testFuzz_ASlugIsAdmittedIfAndOnlyIfItsBytesAreAllowed(bytes memory slug) public {
        bool allowed = slug.length > 0 && slug.length < 64 && slug[0] != "-" && slug[slug.length - 1] != "-";
        for (uint256 i = 0; i < slug.length; ++i) {
            uint8 b = uint8(slug[i]);
            allowed = allowed && ((b >= 0x61 && b <= 0x7a) || (b >= 0x30 && b <= 0x39) || b == 0x2d);
        }
        vm.prank(COUNCIL);
        try registry.admit(string(slug), "did:web:fuzz.example", IDENTITY, CONTROLLER, OPERATOR, KEY) {
            vm.assertTrue(allowed, "admitted");
        } catch {
            vm.assertFalse(allowed, "refused");
        }
    }

    function test_EveryByteIsAllowedInASlugOrNot() public {
        uint256 before = vm.snapshotState();
        uint256 admitted;
        for (uint256 b = 0; b < 256; ++b) {
            bytes memory slug = "a?z";
            slug[1] = bytes1(uint8(b));
            vm.prank(COUNCIL);
            try registry.admit(string(slug), "did:web:byte.example", IDENTITY, CONTROLLER, OPERATOR, KEY) {
                ++admitted;
                vm.revertToState(before);
            } catch {}
        }
        vm.assertEq(admitted, 26 + 10 + 1);
    }

    function test_RevertWhen_TheDidIsNotOne() public {
        string[8] memory bad =
            ["", "did:", "web:ada.example", "DID:web:a", "did:web:a b", "did:web:a#key", "did:web:a\n", "did:web:a/b"];
        for (uint256 i = 0; i < bad.length; ++i) {
            _expectRefusal(abi.encodeWithSelector(E.BadDid.selector, bad[i]), "bea", bad[i]);
        }
        string memory long_ = string.concat("did:", _repeated("x", 1021));
        _expectRefusal(abi.encodeWithSelector(E.BadDid.selector, long_), "bea", long_);
        vm.prank(COUNCIL);
        registry.admit("bea", string.concat("did:", _repeated("x", 1020)), IDENTITY, CONTROLLER, OPERATOR, KEY);
    }

    function test_EveryByteIsAllowedInADidOrNot() public {
        uint256 before = vm.snapshotState();
        uint256 admitted;
        for (uint256 b = 0; b < 256; ++b) {
            bytes memory did = "did:web:?";
            did[8] = bytes1(uint8(b));
            vm.prank(COUNCIL);
            try registry.admit("bea", string(did), IDENTITY, CONTROLLER, OPERATOR, KEY) {
                ++admitted;
                vm.revertToState(before);
            } catch {}
        }
        vm.assertEq(admitted, 26 + 26 + 10 + 5); // . - _ : %
    }

    function test_RevertWhen_AnArgumentIsZero() public {
        string memory did = "did:web:bea.example";
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.ZeroArgument.selector, "identity"));
        registry.admit("bea", did, 0, CONTROLLER, OPERATOR, KEY);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.ZeroArgument.selector, "controller"));
        registry.admit("bea", did, IDENTITY, address(0), OPERATOR, KEY);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.ZeroArgument.selector, "operator"));
        registry.admit("bea", did, IDENTITY, CONTROLLER, address(0), KEY);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.ZeroArgument.selector, "logKey"));
        registry.admit("bea", did, IDENTITY, CONTROLLER, OPERATOR, 0);
    }

    // --- the council's own place -----------------------------------------------------------------------------------

    function test_TheCouncilMovesInTwoSteps() public {
        IOwned owned = IOwned(address(registry));
        vm.prank(COUNCIL);
        owned.transferOwnership(OTHER);
        vm.assertEq(owned.owner(), COUNCIL);
        vm.prank(OTHER);
        owned.acceptOwnership();
        vm.assertEq(owned.owner(), OTHER);
        vm.prank(COUNCIL);
        vm.expectRevert(_unauthorized(COUNCIL));
        registry.suspend(ada);
    }

    function testFuzz_RevertWhen_TheCouncilWouldLeave(address caller) public {
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(E.CouncilCannotLeave.selector, COUNCIL));
        IOwned(address(registry)).renounceOwnership();
    }

    function test_TheSuccessorIsNamedOnce() public {
        vm.prank(COUNCIL);
        vm.expectEmit(address(registry));
        emit Ev.SuccessorSet(OTHER);
        registry.setSuccessor(OTHER);
        vm.assertEq(registry.successor(), OTHER);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.SuccessorAlreadySet.selector, OTHER));
        registry.setSuccessor(STRANGER);
    }

    function test_RevertWhen_TheSuccessorIsNobodyOrItself() public {
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.ZeroArgument.selector, "successor"));
        registry.setSuccessor(address(0));
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.BadSuccessor.selector, address(registry)));
        registry.setSuccessor(address(registry));
        vm.prank(STRANGER);
        vm.expectRevert(_unauthorized(STRANGER));
        registry.setSuccessor(OTHER);
    }

    // --- helpers ---------------------------------------------------------------------------------------------------

    function _expectBadName(string memory name) private {
        vm.expectRevert(abi.encodeWithSelector(E.BadRegistryName.selector, name));
        this.deploy(name, COUNCIL, DELAY);
    }

    function _expectRefusal(bytes memory error_, string memory slug, string memory did) private {
        vm.prank(COUNCIL);
        vm.expectRevert(error_);
        registry.admit(slug, did, IDENTITY, CONTROLLER, OPERATOR, KEY);
    }

    function _repeated(string memory one, uint256 times) private pure returns (string memory text) {
        for (uint256 i = 0; i < times; ++i) {
            text = string.concat(text, one);
        }
    }
}
